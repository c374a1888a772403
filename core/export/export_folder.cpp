#include "core/export/export_folder.h"

#include "core/base/contained_folder.h"
#include "core/base/error.h"
#include "core/base/strict_json.h"
#include "core/io/adapter_writer.h"

namespace spd {
namespace fs = std::filesystem;

AtomicFolder openExportFolder(const fs::path& out, const fs::path& input, bool overwrite) {
    const std::string shown = printable(out.native(), 1000);
    std::error_code error;  // of a path that is not there: then it is nobody's
    if (fs::equivalent(out, input, error))
        throw Error(ErrorKind::invalid_argument, "--out would replace what is exported: " + shown);
    if (!overwrite && fs::is_directory(out, error) && !fs::is_empty(out, error))
        throw Error(ErrorKind::invalid_argument, shown + ": exists; --overwrite replaces it");
    return AtomicFolder(out, overwrite ? kProvenance : "");
}

nlohmann::ordered_json readProvenance(const fs::path& folder) {
    const ContainedFolder files = ContainedFolder::open(folder);
    if (!files.has(kProvenance))
        return nullptr;
    JsonLimits limits;
    limits.max_bytes = size_t{1} << 20;
    const std::string file = files.nameOf(kProvenance);
    nlohmann::ordered_json provenance =
        parseStrictJson(files.readFile(kProvenance, limits.max_bytes), file, limits);
    if (!provenance.is_object())
        throw Error::fileFormat(file, "", "must be a JSON object");
    return provenance;
}

}  // namespace spd
