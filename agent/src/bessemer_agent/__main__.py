"""``python -m bessemer_agent``."""

from bessemer_agent.main import main

raise SystemExit(main())
