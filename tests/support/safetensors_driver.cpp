// Lets tests/oracle/test_safetensors.py use our reader and writer without the engine.
//   copy IN OUT    reads every tensor and the metadata of IN and writes them to OUT
//   judge          for each path on standard input: "ok", or the refusal

#include <iostream>
#include <map>
#include <string>

#include "core/base/error.h"
#include "core/io/safetensors/file.h"
#include "core/io/safetensors/writer.h"

namespace fs = std::filesystem;
using namespace spd;

namespace {

SafetensorsFile open(const fs::path& path) {
    return SafetensorsFile::open(ContainedFolder::open(path.parent_path()), path.filename());
}

void copy(const fs::path& from, const fs::path& to) {
    const SafetensorsFile file = open(from);
    std::map<std::string, const TensorEntry*> entries;
    std::vector<TensorInfo> infos;
    for (const TensorEntry& entry : file.header().tensors) {
        entries[entry.name] = &entry;
        infos.push_back({entry.name, entry.type, entry.shape});
    }
    SafetensorsWriter writer(to, infos, file.header().metadata);
    for (const TensorInfo& info : writer.order()) {
        const TensorEntry& entry = *entries.at(info.name);
        std::string bytes(entry.bytes(), '\0');
        file.read(entry, 0, bytes.size(), bytes.data());
        writer.append(bytes.data(), bytes.size());
    }
    writer.commit();
}

void judge() {
    std::string path;
    while (std::getline(std::cin, path)) {
        try {
            open(path);
            std::cout << "ok\n";
        } catch (const Error& error) {
            std::cout << error.what() << "\n";
        }
    }
}

}  // namespace

int main(int argc, char** argv) {
    const std::string command = argc > 1 ? argv[1] : "";
    try {
        if (command == "copy" && argc == 4)
            copy(argv[2], argv[3]);
        else if (command == "judge")
            judge();
        else
            return 2;
    } catch (const Error& error) {
        std::cerr << error.what() << "\n";
        return error.exitCode();
    }
    return 0;
}
