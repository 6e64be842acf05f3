"""How an error says that memory has ended."""

NO_ROOM = (
    "can't allocate memory", "std::bad_alloc", "can't start new thread", "Cannot allocate memory", "out of memory",
    "failed to map segment from shared object", "could not create a primitive", "could not execute a primitive",
)  # fmt: skip
"""How errors without a type of their own say it: PyTorch on a processor, Python where there is no room left for a
thread's stack, the system (also for a library loaded late), CUDA and Metal, and oneDNN, which drops the reason: a shape
that it cannot compute already fails at the primitive's descriptor."""


def is_lack_of_memory(error: BaseException) -> bool:
    """Whether nothing is wrong but that there was too little memory: whatever was being read is not damaged."""
    said = str(error).replace("primitive descriptor", "descriptor")
    plain = isinstance(error, RuntimeError | ImportError | OSError) and any(words in said for words in NO_ROOM)
    return plain or isinstance(error, MemoryError)
