"""Scripted members, byte-exact clients and a driver of the real daemon, for outside-in tests."""
