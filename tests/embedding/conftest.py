"""The hosts are copied and run in processes of their own."""

collect_ignore = ["hosts"]
