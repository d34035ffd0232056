"""Takes the ELF file out of a bzImage, so that a test need not emulate its decompression: vmlinux.py BZIMAGE VMLINUX"""

import lzma
import sys
import zlib

XZ, GZIP = b"\xfd7zXZ\0", b"\x1f\x8b\x08"


def payload(image):
    """The decompressed payload, or None if there is none of a format known here."""
    for magic, decompressor in ((XZ, lzma.LZMADecompressor), (GZIP, lambda: zlib.decompressobj(31))):
        at = image.find(magic)
        while at >= 0:
            try:
                data = decompressor().decompress(image[at:])
                if data.startswith(b"\x7fELF"):
                    return data
            except (lzma.LZMAError, zlib.error):
                pass
            at = image.find(magic, at + 1)
    return None


if __name__ == "__main__":
    with open(sys.argv[1], "rb") as file:
        vmlinux = payload(file.read())
    if vmlinux is None:
        sys.exit("vmlinux.py: %s: no xz or gzip payload that is an ELF file" % sys.argv[1])
    with open(sys.argv[2], "wb") as file:
        file.write(vmlinux)
