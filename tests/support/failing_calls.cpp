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
#include <map>

namespace spd::test {
namespace {

Fault fault;
int calls = 0;
bool armed = false;
std::string_view struck;

template <class Function>
Function* original(const char* name) {
    return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

/// What of each written file a loss of power leaves.
struct Durable {
    int file = -1;  ///< a descriptor of our own, since the code under test closes its
    off_t size = 0;
};
std::map<ino_t, Durable> written_files;

struct stat statusOf(int file) {
    struct stat status = {};
    fstat(file, &status);
    return status;
}

void noteWrite(int file) {
    const struct stat status = statusOf(file);
    if (armed && S_ISREG(status.st_mode) && !written_files.contains(status.st_ino))
        written_files[status.st_ino] = {dup(file), status.st_size};
}

void noteSync(int file) {
    const struct stat status = statusOf(file);
    if (const auto found = written_files.find(status.st_ino); found != written_files.end())
        found->second.size = status.st_size;
}

[[noreturn]] void die() {
    static const auto cut = original<int(int, off_t)>("ftruncate");
    if (fault.kind == Fault::Kind::power_loss)
        for (const auto& [inode, durable] : written_files)
            if (statusOf(durable.file).st_size > durable.size && cut(durable.file, durable.size) != 0)
                _exit(99);
    for (;;)
        kill(getpid(), SIGKILL);
}

/// Counts a call; whether it is the one.
bool isStruck(const char* name) {
    if (!armed)
        return false;
    ++calls;
    if (fault.call <= 0 || calls < fault.call || (calls > fault.call && fault.kind != Fault::Kind::errors))
        return false;
    if (struck.empty())
        struck = name;
    return true;
}

/// @param on_struck  instead of the call, for the kinds that let a part of it pass.
template <class Call, class Part>
auto callOrFail(const char* name, const Call& call, const Part& on_struck) -> decltype(call()) {
    if (!isStruck(name))
        return call();
    switch (fault.kind) {
        case Fault::Kind::error:
        case Fault::Kind::errors:
            errno = fault.code;
            return -1;
        case Fault::Kind::kill:
        case Fault::Kind::power_loss:
            die();
        default:
            return on_struck();
    }
}

template <class Call>
auto callOrFail(const char* name, const Call& call) -> decltype(call()) {
    return callOrFail(name, call, call);
}

template <class Call>
ssize_t writeOrFail(const char* name, int file, size_t count, const Call& call) {
    noteWrite(file);
    return callOrFail(
        name, [&] { return call(count); },
        [&] {
            const ssize_t done = call(std::max<size_t>(1, count / 2));
            if (fault.kind == Fault::Kind::write_and_kill)
                die();
            return done;
        });
}

template <class Call>
int syncOrFail(const char* name, int file, const Call& call) {
    const int result = callOrFail(name, call);
    if (armed && result == 0)
        noteSync(file);
    return result;
}

int openOrFail(const char* name, const char* path, int flags, mode_t mode) {
    const auto call = [&] { return static_cast<int>(syscall(SYS_openat, AT_FDCWD, path, flags, mode)); };
    return (flags & O_ACCMODE) == O_RDONLY ? call() : callOrFail(name, call);
}

}  // namespace

void armFault(const Fault& next) {
    fault = next;
    calls = 0;
    struck = {};
    armed = true;
}

int disarmFault() {
    armed = false;
    return calls;
}

void resumeFault() {
    armed = true;
}

std::string_view struckCall() {
    return struck;
}

}  // namespace spd::test

using spd::test::callOrFail;
using spd::test::original;

extern "C" {

ssize_t write(int file, const void* bytes, size_t count) {
    static const auto call = original<ssize_t(int, const void*, size_t)>("write");
    return spd::test::writeOrFail("write", file, count, [&](size_t n) { return call(file, bytes, n); });
}

ssize_t pwrite(int file, const void* bytes, size_t count, off_t offset) {
    static const auto call = original<ssize_t(int, const void*, size_t, off_t)>("pwrite");
    return spd::test::writeOrFail("pwrite", file, count,
                                  [&](size_t n) { return call(file, bytes, n, offset); });
}

int fsync(int file) {
    static const auto call = original<int(int)>("fsync");
    return spd::test::syncOrFail("fsync", file, [&] { return call(file); });
}

int fdatasync(int file) {
    static const auto call = original<int(int)>("fdatasync");
    return spd::test::syncOrFail("fdatasync", file, [&] { return call(file); });
}

int ftruncate(int file, off_t size) noexcept {
    static const auto call = original<int(int, off_t)>("ftruncate");
    return callOrFail("ftruncate", [&] { return call(file, size); });
}

// SQLite's names of the same.

ssize_t pwrite64(int file, const void* bytes, size_t count, off64_t offset) {
    static const auto call = original<ssize_t(int, const void*, size_t, off64_t)>("pwrite64");
    return spd::test::writeOrFail("pwrite64", file, count,
                                  [&](size_t n) { return call(file, bytes, n, offset); });
}

int ftruncate64(int file, off64_t size) noexcept {
    static const auto call = original<int(int, off64_t)>("ftruncate64");
    return callOrFail("ftruncate64", [&] { return call(file, size); });
}

int fchmod(int file, mode_t mode) noexcept {
    static const auto call = original<int(int, mode_t)>("fchmod");
    return callOrFail("fchmod", [&] { return call(file, mode); });
}

int rename(const char* from, const char* to) noexcept {
    static const auto call = original<int(const char*, const char*)>("rename");
    return callOrFail("rename", [&] { return call(from, to); });
}

int renameat2(int from_folder, const char* from, int to_folder, const char* to, unsigned flags) noexcept {
    static const auto call = original<int(int, const char*, int, const char*, unsigned)>("renameat2");
    return callOrFail("renameat2", [&] { return call(from_folder, from, to_folder, to, flags); });
}

int mkdir(const char* path, mode_t mode) noexcept {
    static const auto call = original<int(const char*, mode_t)>("mkdir");
    return callOrFail("mkdir", [&] { return call(path, mode); });
}

int rmdir(const char* path) noexcept {
    static const auto call = original<int(const char*)>("rmdir");
    return callOrFail("rmdir", [&] { return call(path); });
}

int unlink(const char* path) noexcept {
    static const auto call = original<int(const char*)>("unlink");
    return callOrFail("unlink", [&] { return call(path); });
}

int mkostemp(char* path, int flags) {
    static const auto call = original<int(char*, int)>("mkostemp");
    return callOrFail("mkostemp", [&] { return call(path, flags); });
}

/// A descriptor whose close() failed is closed all the same, as Linux does it.
int close(int file) {
    static const auto call = original<int(int)>("close");
    const int result = callOrFail("close", [] { return 0; });
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
    return spd::test::openOrFail("open", path, flags, mode);
}

int open64(const char* path, int flags, ...) {
    mode_t mode = 0;
    if ((flags & O_CREAT) != 0) {
        va_list arguments;
        va_start(arguments, flags);
        mode = va_arg(arguments, mode_t);
        va_end(arguments);
    }
    return spd::test::openOrFail("open64", path, flags, mode);
}

}  // extern "C"
