#include "core/engine/engine_socket.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "core/base/error.h"

namespace spd::engine {
namespace {

FileHandle openFolder(const std::filesystem::path& folder) {
    FileHandle handle(open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!handle)
        throwSystemError(folder, "cannot open");
    return handle;
}

sockaddr_un addressIn(const FileHandle& folder) {
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    const std::string path = fmt::format("/proc/self/fd/{}/{}", folder.descriptor(), kSocketName);
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    return address;
}

const sockaddr* plain(const sockaddr_un& address) {
    return reinterpret_cast<const sockaddr*>(&address);
}

}  // namespace

FileHandle listenAt(const std::filesystem::path& workspace) {
    const FileHandle folder = openFolder(workspace);
    unlinkat(folder.descriptor(), kSocketName, 0);
    FileHandle socket_handle(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const sockaddr_un address = addressIn(folder);
    // Nobody else may connect, not even between bind() and a chmod().
    const mode_t old_mask = umask(0177);
    const bool bound =
        socket_handle && bind(socket_handle.descriptor(), plain(address), sizeof(address)) == 0;
    umask(old_mask);
    if (!bound || listen(socket_handle.descriptor(), 64) != 0)
        throwSystemError(workspace / kSocketName, "cannot listen");
    return socket_handle;
}

std::optional<FileHandle> connectTo(const std::filesystem::path& workspace) {
    const FileHandle folder = openFolder(workspace);
    FileHandle socket_handle(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const sockaddr_un address = addressIn(folder);
    if (socket_handle && connect(socket_handle.descriptor(), plain(address), sizeof(address)) == 0)
        return socket_handle;
    if (errno == ENOENT || errno == ECONNREFUSED)
        return std::nullopt;
    throwSystemError(workspace / kSocketName, "cannot connect");
}

}  // namespace spd::engine
