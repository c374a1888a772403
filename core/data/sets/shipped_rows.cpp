#include "core/data/sets/shipped_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/base/files.h"
#include "core/base/strict_json.h"
#include "core/data/json_lines.h"
#include "core/data/permutation.h"
#include "core/data/sets/csv.h"
#include "core/data/sets/normalized_text.h"

namespace spd {
namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

constexpr JsonLimits kLimits = {.max_bytes = size_t{64} << 20, .max_depth = 16, .max_values = 4'000'000};
constexpr size_t kMmluTraining = 2000;
constexpr uint64_t kMmluSeed = 42;

DataRow shippedRow(const std::string& split, int64_t number, Json fields) {
    return {.id = fmt::format("{}/{}", split, number),
            .own_id = true,
            .line = number,
            .fields = std::move(fields)};
}

/// Runs `use` on a row; what it refuses is told with the row's place.
template <class Use>
void atRow(const ShippedFile& file, int64_t row, const Use& use) {
    try {
        use();
    } catch (const Error& error) {
        throw Error::fileFormat(file.path, fmt::format("row {}", row), error.what());
    }
}

Json parseArray(const ShippedFile& file, const Json& parsed) {
    if (!parsed.is_array())
        throw Error::fileFormat(file.path, "", "a list of rows is wanted");
    for (const Json& row : parsed)
        if (!row.is_object())
            throw Error::fileFormat(file.path, "", "every row is to be an object");
    return parsed;
}

/// Objects, one a line.
std::vector<Json> parseLines(const ShippedFile& file) {
    std::vector<Json> rows;
    for (size_t at = 0; at < file.content.size();) {
        const size_t end = std::min(file.content.find('\n', at), file.content.size());
        rows.push_back(parseStrictJson(std::string_view(file.content).substr(at, end - at),
                                       fmt::format("{}: line {}", file.path, rows.size() + 1), kLimits));
        if (!rows.back().is_object())
            throw Error::fileFormat(file.path, fmt::format("line {}", rows.size()), "an object is wanted");
        at = end + 1;
    }
    return rows;
}

std::string mbppSplit(int64_t task_id) {
    if (task_id <= 10)
        return "mbpp/prompt";
    return task_id <= 510 ? "mbpp/test" : task_id <= 600 ? "mbpp/validation" : "mbpp/train";
}

/// What two rows that ask the same have in common.
std::string mmluKey(const DataRow& row) {
    std::string text = row.fields["question"].get<std::string>();
    char letter = 'A';
    for (const Json& choice : row.fields["choices"])
        text += fmt::format("\n{}. {}", letter++, choice.get_ref<const std::string&>());
    return normalizeBlanks(text);
}

std::string subjectOf(const std::string& path) {
    std::string name = fs::path(path).stem().native();
    for (const char* split : {"_dev", "_val", "_test"})
        if (name.ends_with(split))
            name.resize(name.size() - std::string_view(split).size());
    return name;
}

}  // namespace

ShippedFile readShipped(const fs::path& datasets, const std::string& path) {
    return {path, readFile(datasets / path, kLimits.max_bytes)};
}

std::vector<ShippedFile> readShippedFolder(const fs::path& datasets, const std::string& folder,
                                           const std::string& ending) {
    std::error_code error;
    std::vector<std::string> names;
    for (fs::directory_iterator entry(datasets / folder, error), end; !error && entry != end;
         entry.increment(error))
        if (entry->path().native().ends_with(ending))
            names.push_back(entry->path().filename().native());
    if (error)
        throw Error(ErrorKind::not_found,
                    printable((datasets / folder).native(), 1000) + ": " + error.message());
    std::sort(names.begin(), names.end());
    std::vector<ShippedFile> files;
    for (const std::string& name : names)
        files.push_back(readShipped(datasets, folder + "/" + name));
    return files;
}

std::vector<DataRow> jsonLinesRows(const ShippedFile& file, const std::string& split) {
    std::vector<DataRow> rows;
    for (Json& fields : parseLines(file))
        rows.push_back(shippedRow(split, static_cast<int64_t>(rows.size()), std::move(fields)));
    return rows;
}

std::vector<DataRow> svampRows(const ShippedFile& file) {
    std::vector<DataRow> rows;
    for (Json& fields : parseArray(file, parseStrictJson(file.content, file.path, kLimits))) {
        const auto number = static_cast<int64_t>(rows.size());
        atRow(file, number, [&] {
            std::string question = requireString(fields, "Body");
            question += question.ends_with('.') ? " " : ". ";
            question += requireString(fields, "Question");
            const Json answer = requireField(fields, "Answer");  // a copy: adding fields moves them
            if (!answer.is_number())
                throw rowError("\"Answer\" is to be a number");
            const auto number_text = answer.get<double>() == static_cast<double>(answer.get<int64_t>())
                                         ? std::to_string(answer.get<int64_t>())
                                         : fmt::format("{:g}", answer.get<double>());
            fields["question"] = question;
            fields["answer"] = number_text;
            rows.push_back(shippedRow("svamp/all", number, std::move(fields)));
        });
    }
    return rows;
}

std::vector<DataRow> bbhRows(const ShippedFile& file, const std::string& split) {
    const Json parsed = parseStrictJson(file.content, file.path, kLimits);
    if (!parsed.is_object() || !parsed.contains("examples"))
        throw Error::fileFormat(file.path, "", "an object with \"examples\" is wanted");
    std::vector<DataRow> rows;
    for (Json& fields : parseArray(file, parsed["examples"]))
        rows.push_back(shippedRow(split, static_cast<int64_t>(rows.size()), std::move(fields)));
    return rows;
}

std::vector<DataRow> mmluRows(const std::vector<ShippedFile>& files, const std::string& split) {
    std::vector<DataRow> rows;
    for (const ShippedFile& file : files) {
        for (const std::vector<std::string>& cells : parseCsv(file.content, file.path)) {
            const auto number = static_cast<int64_t>(rows.size());
            if (cells.size() != 6 || cells[5].size() != 1 || cells[5][0] < 'A' || cells[5][0] > 'D')
                throw Error::fileFormat(file.path, fmt::format("row {} of {}", number, split),
                                        "question, four choices and a letter are wanted");
            rows.push_back(shippedRow(split, number,
                                      {{"question", cells[0]},
                                       {"choices", {cells[1], cells[2], cells[3], cells[4]}},
                                       {"answer", cells[5]},
                                       {"subject", subjectOf(file.path)}}));
        }
    }
    return rows;
}

std::vector<DataRow> mbppRows(const ShippedFile& file, bool sanitized, int64_t first, int64_t last) {
    std::vector<Json> all;
    if (sanitized)
        for (Json& fields : parseArray(file, parseStrictJson(file.content, file.path, kLimits)))
            all.push_back(std::move(fields));
    else
        all = parseLines(file);
    std::vector<DataRow> rows;
    for (Json& fields : all) {
        atRow(file, static_cast<int64_t>(rows.size()), [&] {
            const int64_t task_id = requireInteger(fields, "task_id");
            if (task_id < first || task_id > last)
                return;
            if (sanitized) {
                const std::string text = requireString(fields, "prompt");  // a copy, as above
                fields.erase("prompt");
                fields["text"] = text;
            }
            rows.push_back(shippedRow(mbppSplit(task_id), task_id, std::move(fields)));
        });
    }
    return rows;
}

std::vector<DataRow> selectMmluTraining(std::vector<DataRow> candidates, const std::vector<DataRow>& others) {
    std::set<std::string> known;
    for (const DataRow& row : others)
        known.insert(mmluKey(row));
    std::erase_if(candidates, [&](const DataRow& row) { return !known.insert(mmluKey(row)).second; });
    std::vector<int64_t> chosen =
        permutation(static_cast<int64_t>(candidates.size()), kMmluSeed, kShippedRows);
    chosen.resize(std::min(chosen.size(), kMmluTraining));
    std::sort(chosen.begin(), chosen.end());
    std::vector<DataRow> rows;
    for (const int64_t i : chosen)
        rows.push_back(std::move(candidates[static_cast<size_t>(i)]));
    return rows;
}

}  // namespace spd
