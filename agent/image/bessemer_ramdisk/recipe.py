"""What goes into the ramdisk.

Named files only, and the libraries they need: a list of what is wanted stays right when Debian's packages
grow, a list of what to throw away does not. Paths are those of a merged /usr (``usr/bin``, never ``bin``).
"""

SUITE = "bookworm"
LIBRARIES = "usr/lib/x86_64-linux-gnu"
PYTHON = "usr/lib/python3.11"

PACKAGES = (
    "busybox-static",
    "ca-certificates",
    "dropbear-bin",
    "efibootmgr",
    "hdparm",
    "kmod",
    "libpython3.11-stdlib",
    "libzstd1",
    "mdadm",
    "nvme-cli",
    "openssl",
    "python3.11-minimal",
    "udev",
)

#: Files by pattern; every pattern must match something.
FILES = (
    "usr/bin/busybox",
    "usr/bin/efibootmgr",
    "usr/bin/kmod",
    "usr/bin/openssl",
    "usr/bin/python3.11",
    "usr/bin/udevadm",
    "usr/sbin/dropbear",
    "usr/sbin/hdparm",
    "usr/sbin/mdadm",
    "usr/sbin/modprobe",
    "usr/sbin/nvme",
    "usr/lib64/ld-linux-x86-64.so.2",
    "usr/lib/modprobe.d/*",
    "usr/lib/systemd/network/99-default.link",
    "usr/lib/systemd/systemd-udevd",
    "usr/lib/udev/ata_id",
    "usr/lib/udev/cdrom_id",
    "usr/lib/udev/scsi_id",
    "usr/lib/udev/rules.d/50-udev-default.rules",
    "usr/lib/udev/rules.d/60-block.rules",
    "usr/lib/udev/rules.d/60-cdrom_id.rules",
    "usr/lib/udev/rules.d/60-persistent-storage.rules",
    "usr/lib/udev/rules.d/75-net-description.rules",
    "usr/lib/udev/rules.d/80-drivers.rules",
    "usr/lib/udev/rules.d/80-net-setup-link.rules",
    # Opened at run time, so no program names them as needed: decompression, thread cancellation.
    f"{LIBRARIES}/libzstd.so.1",
    f"{LIBRARIES}/libgcc_s.so.1",
)

#: Certificates joined to the bundle that TLS clients trust.
CERTIFICATES = "usr/share/ca-certificates/mozilla/*.crt"

_PYTHON_DROPPED = """
__pycache__ _pydecimal.py aifc.py antigravity.py asyncio asynchat.py asyncore.py bdb.py cProfile.py cgi.py
cgitb.py chunk.py colorsys.py concurrent config-3.11-x86_64-linux-gnu crypt.py curses dbm dist-packages
distutils doctest.py ensurepip ftplib.py idlelib imaplib.py imghdr.py imp.py lib2to3 mailbox.py mailcap.py
modulefinder.py msilib multiprocessing nntplib.py optparse.py pdb.py pickletools.py pipes.py poplib.py
profile.py pstats.py pty.py pyclbr.py pydoc.py pydoc_data rlcompleter.py smtpd.py smtplib.py sndhdr.py
sqlite3 sunau.py symtable.py sysconfig.py tabnanny.py telnetlib.py test this.py timeit.py tkinter tomllib
trace.py turtle.py turtledemo unittest uu.py venv wave.py webbrowser.py wsgiref xdrlib.py xml xmlrpc
zipapp.py zoneinfo
"""
#: Parts of Python's standard library an agent never imports.
PYTHON_DROPPED = frozenset(_PYTHON_DROPPED.split())
#: Its extension modules that are wanted; the others drag in libraries of their own.
PYTHON_EXTENSIONS = (
    "_bz2",
    "_ctypes",
    "_hashlib",
    "_json",
    "_lzma",
    "_ssl",
    "_typing",
    "_uuid",
    "mmap",
    "termios",
)

#: Commands that are busybox.
APPLETS = (
    "sh",
    "login",
    "mount",
    "umount",
    "ip",
    "ps",
    "dmesg",
    "cat",
    "ls",
    "sleep",
    "tee",
    "udhcpc",
    "vi",
    "grep",
    "hostname",
)

#: Kernel modules by pattern, below ``kernel/``; what they depend on comes with them.
MODULES = (
    "arch/x86/crypto/crc*",
    "arch/x86/crypto/crct10dif*",
    "crypto/crc*",
    "drivers/ata/*",
    "drivers/block/virtio_blk.ko",
    "drivers/block/xen-blkfront.ko",
    "drivers/cdrom/*",
    "drivers/char/hw_random/*",
    "drivers/char/ipmi/*",
    "drivers/firmware/*",
    "drivers/hv/*",
    "drivers/md/*raid*",
    "drivers/md/linear.ko",
    "drivers/message/fusion/*",
    "drivers/mmc/core/*",
    "drivers/mmc/host/sdhci*",
    "drivers/net/bonding/*",
    "drivers/net/ethernet/*",
    "drivers/net/hyperv/*",
    "drivers/net/phy/*",
    "drivers/net/virtio_net.ko",
    "drivers/net/vmxnet3/*",
    "drivers/net/xen-netfront.ko",
    "drivers/nvdimm/*",
    "drivers/nvme/host/*",
    "drivers/pci/controller/vmd.ko",
    "drivers/scsi/*",
    "drivers/usb/host/*",
    "drivers/usb/storage/*",
    "drivers/virtio/*",
    "fs/efivarfs/*",
    "fs/ext4/*",
    "fs/fat/*",
    "fs/isofs/*",
    "fs/nls/nls_ascii.ko",
    "fs/nls/nls_cp437.ko",
    "fs/nls/nls_iso8859-1.ko",
    "fs/nls/nls_utf8.ko",
    "fs/pstore/*",
    "net/8021q/*",
    "net/packet/*",
)
#: Of those, what no server deployed by network or virtual media is reached through.
MODULES_DROPPED = (
    "drivers/ata/pata_*",
    "drivers/firmware/*test*",
    "drivers/net/ethernet/3com/*",
    "drivers/net/ethernet/8390/*",
    "drivers/net/ethernet/adaptec/*",
    "drivers/net/ethernet/agere/*",
    "drivers/net/ethernet/brocade/*",
    "drivers/net/ethernet/cavium/*",
    "drivers/net/ethernet/dec/*",
    "drivers/net/ethernet/dlink/*",
    "drivers/net/ethernet/fealnx.ko",
    "drivers/net/ethernet/jme.ko",
    "drivers/net/ethernet/micrel/*",
    "drivers/net/ethernet/microchip/*",
    "drivers/net/ethernet/natsemi/*",
    "drivers/net/ethernet/neterion/*",
    "drivers/net/ethernet/nvidia/*",
    "drivers/net/ethernet/packetengines/*",
    "drivers/net/ethernet/rdc/*",
    "drivers/net/ethernet/silan/*",
    "drivers/net/ethernet/sis/*",
    "drivers/net/ethernet/smsc/*",
    "drivers/net/ethernet/stmicro/*",
    "drivers/net/ethernet/sun/*",
    "drivers/net/ethernet/tehuti/*",
    "drivers/net/ethernet/ti/*",
    "drivers/net/ethernet/via/*",
    "drivers/net/ethernet/wiznet/*",
    "drivers/net/ethernet/xircom/*",
    "drivers/scsi/*iscsi*",
    "drivers/scsi/advansys.ko",
    "drivers/scsi/aic7xxx/*",
    "drivers/scsi/aic94xx/*",
    "drivers/scsi/bfa/*",
    "drivers/scsi/bnx2fc/*",
    "drivers/scsi/ch.ko",
    "drivers/scsi/csiostor/*",
    "drivers/scsi/cxgbi/*",
    "drivers/scsi/dc395x.ko",
    "drivers/scsi/device_handler/*",
    "drivers/scsi/elx/*",
    "drivers/scsi/fcoe/*",
    "drivers/scsi/fdomain*",
    "drivers/scsi/initio.ko",
    "drivers/scsi/ips.ko",
    "drivers/scsi/lpfc/*",
    "drivers/scsi/pcmcia/*",
    "drivers/scsi/qedf/*",
    "drivers/scsi/qedi/*",
    "drivers/scsi/qla1280.ko",
    "drivers/scsi/qla2xxx/*",
    "drivers/scsi/qla4xxx/*",
    "drivers/scsi/scsi_debug.ko",
    "drivers/scsi/st.ko",
    "drivers/scsi/sym53c8xx_2/*",
    "drivers/scsi/wd719x.ko",
)

#: Kernel packages to choose from.
KERNELS = {
    # Starts fastest and is small, but knows virtual machines only: no AHCI, no USB storage, few network
    # cards.
    "cloud": "linux-image-cloud-amd64",
    # For real servers.
    "generic": "linux-image-amd64",
}
