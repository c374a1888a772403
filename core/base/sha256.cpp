#include "core/base/sha256.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>
#include <vector>

#include "core/base/error.h"
#include "core/base/files.h"

namespace spd {
namespace {

class Sha256 {
public:
    Sha256() : state_(EVP_MD_CTX_new()) {
        if (!state_ || EVP_DigestInit_ex(state_.get(), EVP_sha256(), nullptr) != 1)
            throw Error(ErrorKind::internal, "SHA-256 is not available in OpenSSL");
    }

    void add(const void* bytes, size_t count) {
        if (EVP_DigestUpdate(state_.get(), bytes, count) != 1)
            throw Error(ErrorKind::internal, "SHA-256 failed in OpenSSL");
    }

    std::string hex() {
        std::array<unsigned char, EVP_MAX_MD_SIZE> digest = {};
        unsigned int size = 0;
        if (EVP_DigestFinal_ex(state_.get(), digest.data(), &size) != 1)
            throw Error(ErrorKind::internal, "SHA-256 failed in OpenSSL");
        std::string text;
        for (unsigned int i = 0; i < size; ++i)
            text += fmt::format("{:02x}", digest[i]);
        return text;
    }

private:
    struct Free {
        void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
    };
    std::unique_ptr<EVP_MD_CTX, Free> state_;
};

}  // namespace

std::string sha256Hex(std::string_view bytes) {
    Sha256 sha256;
    sha256.add(bytes.data(), bytes.size());
    return sha256.hex();
}

std::string sha256OfFile(const std::filesystem::path& path) {
    // O_NONBLOCK: opening a FIFO must not wait for a writer.
    const FileHandle file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!file)
        throwSystemError(path, "open");
    struct stat status = {};
    if (fstat(file.descriptor(), &status) != 0)
        throwSystemError(path, "stat");
    if (!S_ISREG(status.st_mode))
        throw Error::fileFormat(path.string(), "", "not a regular file");
    Sha256 sha256;
    std::vector<char> block(size_t{1} << 20);
    while (true) {
        const ssize_t count = read(file.descriptor(), block.data(), block.size());
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            throwSystemError(path, "read");
        if (count == 0)
            return sha256.hex();
        sha256.add(block.data(), static_cast<size_t>(count));
    }
}

}  // namespace spd
