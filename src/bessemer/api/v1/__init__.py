"""The Ironic v1 API, microversions 1.1 to 1.115, as tables (``table/``) and a small machine that reads them."""
