"""Ten thousand simulated servers looked after by one process: what that costs, and what users notice."""
