#include <fmt/format.h>

#include <limits>

#include "core/data/corpus_file.h"
#include "core/data/json_lines.h"

namespace spd {
namespace {

using Json = nlohmann::ordered_json;

std::vector<int32_t> readCompletionIds(const Json& row) {
    std::vector<int32_t> ids;
    for (const int64_t id : requireIntegers(row, "completion_ids")) {
        if (id < 0 || id > std::numeric_limits<int32_t>::max())
            throw rowError(fmt::format("\"completion_ids\": {} is no token id", id));
        ids.push_back(static_cast<int32_t>(id));
    }
    return ids;
}

}  // namespace

std::string toJsonLine(const CorpusRecord& record) {
    const Json row = {{"id", toJson(record.id)},
                      {"prompt", record.prompt},
                      {"completion", record.completion},
                      {"completion_ids", record.completion_ids},
                      {"finish_reason", record.finish_reason},
                      {"prompt_tokens", record.prompt_tokens},
                      {"completion_tokens", record.completion_ids.size()}};
    try {
        return row.dump();
    } catch (const nlohmann::json::type_error&) {
        throw Error(ErrorKind::internal,
                    fmt::format("the record with id {} is not UTF-8", printable(toText(record.id), 80)));
    }
}

CorpusRecord readCorpusRecord(int64_t line, const Json& row) {
    CorpusRecord record;
    record.id = readPromptId(row, line);
    record.prompt = requireString(row, "prompt");
    record.completion = requireString(row, "completion");
    record.completion_ids = readCompletionIds(row);
    record.finish_reason = requireString(row, "finish_reason");
    if (record.finish_reason != "stop" && record.finish_reason != "length")
        throw rowError(fmt::format("\"finish_reason\" is \"{}\", neither \"stop\" nor \"length\"",
                                   printable(record.finish_reason, 40)));
    record.prompt_tokens = requireInteger(row, "prompt_tokens");
    if (record.prompt_tokens < 0)
        throw rowError("\"prompt_tokens\" is negative");
    const int64_t tokens = requireInteger(row, "completion_tokens");
    if (tokens != static_cast<int64_t>(record.completion_ids.size()))
        throw rowError(fmt::format("\"completion_tokens\" is {}, \"completion_ids\" has {}", tokens,
                                   record.completion_ids.size()));
    return record;
}

void readCorpus(const std::filesystem::path& path,
                const std::function<void(int64_t line, const CorpusRecord& record)>& on_record) {
    KnownIds known;
    readJsonLines(path, [&](int64_t line, const Json& row) {
        const CorpusRecord record = readCorpusRecord(line, row);
        known.add(record.id, line);
        on_record(line, record);
    });
}

}  // namespace spd
