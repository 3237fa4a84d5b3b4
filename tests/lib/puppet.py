"""Makes another process do a system call: ptrace(2) on x86-64, for root. It stands in for a
program flaw that lets a client run code of its own in a worker."""

import ctypes
import os
import platform

ATTACH, DETACH, GETREGS, SETREGS = 16, 17, 12, 13
REGISTERS = ("r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi orig_rax rip cs eflags "
             "rsp ss fs_base gs_base ds es fs gs").split()

# As x86-64 numbers them.
CALLS = {"socket": 41, "openat": 257, "execve": 59, "kill": 62}


def missing():
    """Why this cannot be done here; None when it can."""
    if platform.machine() != "x86_64":
        return "system calls are injected on x86-64 only"
    if os.geteuid() != 0:
        return "only root may trace workers"
    return None


class Registers(ctypes.Structure):
    _fields_ = [(name, ctypes.c_ulonglong) for name in REGISTERS]


libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
libc.ptrace.restype = ctypes.c_long


def ptrace(request, pid, data=None):
    if libc.ptrace(request, pid, None, data) != 0:
        raise OSError(ctypes.get_errno(), f"ptrace {request} of {pid}")


def make_call(pid, name, *arguments):
    """The process, which must be waiting in a system call, does this one instead of going on."""
    registers = Registers()
    ptrace(ATTACH, pid)
    os.waitpid(pid, 0)
    ptrace(GETREGS, pid, ctypes.addressof(registers))
    registers.orig_rax = ctypes.c_ulonglong(-1).value  # the one it waits in is not begun again
    registers.rax = CALLS[name]
    registers.rip -= 2  # back on the instruction `syscall`
    for register, value in zip(("rdi", "rsi", "rdx", "r10"), arguments):
        setattr(registers, register, value)
    ptrace(SETREGS, pid, ctypes.addressof(registers))
    ptrace(DETACH, pid)
