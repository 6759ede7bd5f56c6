"""Measures elbd side by side with haproxy and nginx."""
