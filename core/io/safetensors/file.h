#pragma once

#include <cstdint>
#include <string>

#include "core/base/contained_folder.h"
#include "core/io/safetensors/header.h"

namespace spd {

/// A safetensors file that is held open; its header was checked. Read by pread, never mapped: a mapped file
/// that shrinks kills its reader. Thread-safe for concurrent reads.
class SafetensorsFile {
public:
    /// @throws Error not_found, file_format, unsupported_model, io
    static SafetensorsFile open(const ContainedFolder& folder, const std::string& name);

    const std::string& name() const { return name_; }  ///< FOLDER/NAME
    const SafetensorsHeader& header() const { return header_; }

    /// Bytes [first, first + count) of the tensor into `out`. @throws Error io when the file has become
    /// shorter.
    void read(const TensorEntry& tensor, uint64_t first, uint64_t count, void* out) const;

    /// Size, modification time and inode are those seen at open, of the open file and of what its name leads
    /// to now.
    /// @throws Error io
    void checkUnchanged(const ContainedFolder& folder) const;

private:
    struct Identity {
        uint64_t device = 0;
        uint64_t inode = 0;
        int64_t size = 0;
        int64_t seconds = 0;
        int64_t nanoseconds = 0;
        bool operator==(const Identity&) const = default;
    };
    static Identity identityOf(const FileHandle& file, const std::string& name);
    void readAt(uint64_t offset, uint64_t count, void* out) const;

    std::string plain_name_;
    std::string name_;
    FileHandle file_;
    Identity identity_;
    SafetensorsHeader header_;
};

}  // namespace spd
