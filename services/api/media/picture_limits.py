"""What the gateway and the process that converts pictures both go by. Imports nothing: that process starts often."""

#: Most bytes of a JPEG that the platform takes.
JPEG_BYTES_MAX = 8 * 1024 * 1024
#: Most pixels that are decoded.
PIXELS_MAX = 64_000_000
#: Most pixels of a JPEG of several scans (a progressive one), which is held in memory whole, 6 bytes a pixel, however
#: small it is decoded.
PROGRESSIVE_PIXELS_MAX = 24_000_000
#: The EXIF tag that says how a picture is to be turned, and its value for "as it is".
ORIENTATION_TAG = 0x0112
UPRIGHT = 1
