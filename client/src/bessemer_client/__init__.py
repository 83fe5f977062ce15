"""Python client and command line of Bessemer."""
