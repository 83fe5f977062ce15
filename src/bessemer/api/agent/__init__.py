"""What ramdisk agents call: lookup and heartbeat. They are part of v1, with rules of their own."""
