"""What a machine boots, rendered on request from a node's record: nothing is kept per node.

``ramdisk`` says which kernel and ramdisk (or finished ISO) a node boots, ``iso`` builds one template per such
pair and renders a node's ISO from it, ``artefact`` ties both to URLs that only the node's BMC knows.
"""
