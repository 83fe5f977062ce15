"""Writing an image to a disk, as a pipeline of iterators over byte chunks.

    download -> (queue) -> digest + decompress -> (queue) -> format -> disk

Each arrow marked *(queue)* is a thread boundary with a bounded queue of a few MiB (:mod:`.pipeline`), and the
digest has a thread of its own, so that the network, the hash, the decompressor and the disk work at the same
time and memory stays bounded whatever the image's size. The heavy parts (``recv``, hashlib, zlib, the zstd
child, ``pwrite``) release the interpreter lock.
"""
