#include "tests/support/failing_calls.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdarg>

namespace spd::test {
namespace {

Fault fault;
int calls = 0;
bool armed = false;

/// Whether the call that is being made is the one.
bool isStruck() {
    if (!armed)
        return false;
    ++calls;
    return fault.call > 0 &&
           (calls == fault.call || (fault.kind == Fault::Kind::errors && calls > fault.call));
}

[[noreturn]] void die() {
    for (;;)
        kill(getpid(), SIGKILL);
}

template <class Function>
Function* original(const char* name) {
    return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

template <class Call>
auto callOrFail(const Call& call) -> decltype(call()) {
    if (isStruck()) {
        if (fault.kind == Fault::Kind::kill)
            die();
        if (fault.kind == Fault::Kind::error || fault.kind == Fault::Kind::errors) {
            errno = fault.code;
            return -1;
        }
    }
    return call();
}

template <class Call>
ssize_t writeOrFail(size_t count, const Call& call) {
    const int this_call = calls + 1;
    return callOrFail([&] {
        const bool is_struck = armed && this_call == fault.call;
        if (!is_struck)
            return call(count);
        // Only the kinds that let half of a write pass come here.
        const ssize_t written = call(std::max<size_t>(1, count / 2));
        if (fault.kind == Fault::Kind::write_and_kill)
            die();
        return written;
    });
}

}  // namespace

void armFault(const Fault& next) {
    fault = next;
    calls = 0;
    armed = true;
}

int disarmFault() {
    armed = false;
    return calls;
}

}  // namespace spd::test

using spd::test::callOrFail;
using spd::test::original;

extern "C" {

ssize_t write(int file, const void* bytes, size_t count) {
    static const auto call = original<ssize_t(int, const void*, size_t)>("write");
    return spd::test::writeOrFail(count, [&](size_t n) { return call(file, bytes, n); });
}

ssize_t pwrite(int file, const void* bytes, size_t count, off_t offset) {
    static const auto call = original<ssize_t(int, const void*, size_t, off_t)>("pwrite");
    return spd::test::writeOrFail(count, [&](size_t n) { return call(file, bytes, n, offset); });
}

int fsync(int file) {
    static const auto call = original<int(int)>("fsync");
    return callOrFail([&] { return call(file); });
}

int fdatasync(int file) {
    static const auto call = original<int(int)>("fdatasync");
    return callOrFail([&] { return call(file); });
}

int ftruncate(int file, off_t size) noexcept {
    static const auto call = original<int(int, off_t)>("ftruncate");
    return callOrFail([&] { return call(file, size); });
}

int fchmod(int file, mode_t mode) noexcept {
    static const auto call = original<int(int, mode_t)>("fchmod");
    return callOrFail([&] { return call(file, mode); });
}

int rename(const char* from, const char* to) noexcept {
    static const auto call = original<int(const char*, const char*)>("rename");
    return callOrFail([&] { return call(from, to); });
}

int unlink(const char* path) noexcept {
    static const auto call = original<int(const char*)>("unlink");
    return callOrFail([&] { return call(path); });
}

int mkostemp(char* path, int flags) {
    static const auto call = original<int(char*, int)>("mkostemp");
    return callOrFail([&] { return call(path, flags); });
}

/// A descriptor whose close() failed is closed all the same, as Linux does it.
int close(int file) {
    static const auto call = original<int(int)>("close");
    const int result = callOrFail([&] { return 0; });
    const int code = errno;
    const int closed = call(file);
    if (result != 0)
        errno = code;
    return result != 0 ? result : closed;
}

int open(const char* path, int flags, ...) {
    mode_t mode = 0;
    if ((flags & O_CREAT) != 0) {
        va_list arguments;
        va_start(arguments, flags);
        mode = va_arg(arguments, mode_t);
        va_end(arguments);
    }
    const auto call = [&] { return static_cast<int>(syscall(SYS_openat, AT_FDCWD, path, flags, mode)); };
    return (flags & O_ACCMODE) == O_RDONLY ? call() : callOrFail(call);
}

}  // extern "C"
