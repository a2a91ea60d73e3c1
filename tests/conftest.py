"""What every test may lean on."""

from hypothesis import HealthCheck, settings

# How long a machine takes to make its inputs says nothing about the code: the first use of text
# builds Unicode tables, and neighbours take their share.
settings.register_profile("shared", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared")
