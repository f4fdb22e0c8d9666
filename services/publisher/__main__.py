"""Start the publisher."""

from services.publisher.service import serve
from shared.lifecycle import run_process

if __name__ == "__main__":
    run_process("publisher", serve)
