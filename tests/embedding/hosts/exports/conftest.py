import pytest
from app import create_app


@pytest.fixture
def app(tmp_path):
    return create_app(
        TESTING=True,
        FOLDER=str(tmp_path),
        CELERY={"task_always_eager": True, "task_eager_propagates": True},
    )


@pytest.fixture
def client(app):
    client = app.test_client()
    client.post("/login", data={"user": "ada"})
    return client
