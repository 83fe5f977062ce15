"""The Ironic v1 API, microversions 1.1 to 1.115: tables (``table/``) and a machine that reads them."""
