#include "core/data/sets/data_set.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>
#include <iterator>
#include <map>

#include "core/base/error.h"
#include "core/base/sha256.h"
#include "core/data/json_lines.h"
#include "core/data/sets/resource_folder.h"
#include "core/data/sets/shipped_rows.h"

namespace spd {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;
using Rows = std::vector<DataRow>;

constexpr const char* kBbhFolder = "bbh";

/// Reads files and keeps what their hash is made of.
class Shelf {
public:
    Shelf() : datasets_(resourceFolder() / "datasets") {}

    ShippedFile file(const std::string& path) { return noted(readShipped(datasets_, path)); }
    std::vector<ShippedFile> folder(const std::string& path, const std::string& ending) {
        std::vector<ShippedFile> files = readShippedFolder(datasets_, path, ending);
        for (const ShippedFile& file : files)
            noted(file);
        return files;
    }
    std::string sha256() const { return sha256Hex(digests_); }

private:
    const ShippedFile& noted(const ShippedFile& file) {
        digests_ += fmt::format("{}  {}\n", sha256Hex(file.content), file.path);
        return file;
    }

    fs::path datasets_;
    std::string digests_;
};

Rows mmluSplit(Shelf& shelf, const std::string& split) {
    return mmluRows(shelf.folder("mmlu/" + split, ".csv"), "mmlu/" + split);
}

Rows mmluTraining(Shelf& shelf) {
    Rows candidates = mmluSplit(shelf, "val");
    Rows auxiliary = mmluSplit(shelf, "auxiliary_train");
    std::move(auxiliary.begin(), auxiliary.end(), std::back_inserter(candidates));
    Rows others = mmluSplit(shelf, "dev");
    Rows test = mmluSplit(shelf, "test");
    std::move(test.begin(), test.end(), std::back_inserter(others));
    return selectMmluTraining(std::move(candidates), others);
}

using Reader = std::function<Rows(Shelf&)>;

const std::map<std::string, Reader>& readers() {
    static const std::map<std::string, Reader> table = [] {
        const auto gsm8k = [](const char* split) -> Reader {
            return [split](Shelf& shelf) {
                const std::string name = fmt::format("gsm8k/{}", split);
                return jsonLinesRows(shelf.file(name + ".jsonl"), name);
            };
        };
        const auto mbpp = [](bool sanitized, int64_t first, int64_t last) -> Reader {
            return [=](Shelf& shelf) {
                return mbppRows(shelf.file(sanitized ? "mbpp/sanitized-mbpp.json" : "mbpp/mbpp.jsonl"),
                                sanitized, first, last);
            };
        };
        std::map<std::string, Reader> made = {
            {"gsm8k/train", gsm8k("train")},
            {"gsm8k/test", gsm8k("test")},
            {"svamp/all", [](Shelf& shelf) { return svampRows(shelf.file("svamp/SVAMP.json")); }},
            {"mbpp/train", mbpp(false, 511, 974)},
            {"mbpp/test", mbpp(false, 11, 510)},
            {"mbpp/sanitized-test", mbpp(true, 11, 510)},
            {"mmlu/train", mmluTraining}};
        for (const char* split : {"dev", "val", "test", "auxiliary_train"})
            made[fmt::format("mmlu/{}", split)] = [split](Shelf& shelf) { return mmluSplit(shelf, split); };
        return made;
    }();
    return table;
}

/// "bbh/TASK" by the files that are there.
std::vector<std::string> bbhNames() {
    std::vector<std::string> names;
    std::error_code unreadable;
    for (const fs::directory_entry& entry :
         fs::directory_iterator(resourceFolder() / "datasets" / kBbhFolder, unreadable))
        if (entry.path().extension() == ".json")
            names.push_back(fmt::format("{}/{}", kBbhFolder, entry.path().stem().native()));
    return names;
}

DataSet readShippedSet(const std::string& name, const Reader& reader) {
    Shelf shelf;
    DataSet set = {.name = name, .sha256 = "", .rows = reader(shelf)};
    set.sha256 = shelf.sha256();
    return set;
}

DataSet readOwnFile(const std::string& path) {
    DataSet set = {.name = path, .sha256 = sha256OfFile(path), .rows = {}};
    KnownIds known;
    readJsonLines(path, [&](int64_t line, const Json& fields) {
        DataRow row = {.id = readPromptId(fields, line),
                       .own_id = fields.contains("id"),
                       .line = line,
                       .fields = fields};
        known.add(row.id, line);
        set.rows.push_back(std::move(row));
    });
    return set;
}

}  // namespace

std::string_view licenceOf(std::string_view shipped) {
    return shipped.starts_with("mbpp/") ? "CC BY 4.0" : "MIT";  // resources/datasets/README.md
}

std::vector<std::string> shippedDataSets() {
    std::vector<std::string> names = bbhNames();
    for (const auto& [name, reader] : readers())
        names.push_back(name);
    std::sort(names.begin(), names.end());
    return names;
}

DataSet openDataSet(const std::string& name) {
    if (const auto found = readers().find(name); found != readers().end())
        return readShippedSet(name, found->second);
    if (name.starts_with("bbh/")) {
        const std::vector<std::string> names = bbhNames();
        if (std::find(names.begin(), names.end(), name) != names.end())
            return readShippedSet(name,
                                  [&](Shelf& shelf) { return bbhRows(shelf.file(name + ".json"), name); });
    }
    std::error_code unreadable;
    if (!fs::exists(name, unreadable))
        throw Error(ErrorKind::not_found,
                    fmt::format("{}: no such file, and no data set of this name; there are {}",
                                printable(name, 500), fmt::join(shippedDataSets(), ", ")));
    return readOwnFile(name);
}

}  // namespace spd
