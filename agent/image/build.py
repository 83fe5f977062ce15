#!/usr/bin/env python3
"""Build the agent's ramdisk: ``python agent/image/build.py --kernel cloud --output build/ramdisk``.

From other code: put this folder on ``sys.path`` and call ``bessemer_ramdisk.build.build_ramdisk``.
"""

from bessemer_ramdisk.build import main

if __name__ == "__main__":
    raise SystemExit(main())
