"""How an error says that memory has ended."""

import errno

NO_ROOM = (
    "can't allocate memory", "std::bad_alloc", "can't start new thread", "Cannot allocate memory", "out of memory",
    "failed to map segment from shared object", "could not create a primitive", "could not execute a primitive",
    "_STATUS_ALLOC_FAILED",
    "not enough memory: you tried", "bad allocation", "error code: <1455>", "paging file is too small",
)  # fmt: skip
"""How errors without a type of their own say it: PyTorch on a processor, Python where there is no room left for a
thread's stack, the system (also for a library loaded late), CUDA and Metal, oneDNN, which drops the reason (a shape
that it cannot compute already fails at the primitive's descriptor), and cuBLAS and cuDNN, which ask for their own
(CUBLAS_STATUS_ALLOC_FAILED). The last line is what PyTorch, its compiler and the
system say on Windows."""

WINDOWS_NUMBERS = (8, 14, 1455)
"""What Windows itself calls too little memory: it says so in the language of its owner."""


def is_lack_of_memory(error: BaseException) -> bool:
    """Whether nothing is wrong but that there was too little memory: whatever was being read is not damaged."""
    said = str(error).replace("primitive descriptor", "descriptor")
    plain = isinstance(error, RuntimeError | ImportError | OSError) and any(words in said for words in NO_ROOM)
    return plain or isinstance(error, MemoryError) or (isinstance(error, OSError) and _by_number(error))


def _by_number(error: OSError) -> bool:
    return error.errno == errno.ENOMEM or getattr(error, "winerror", None) in WINDOWS_NUMBERS
