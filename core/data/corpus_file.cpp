#include "core/data/corpus_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "core/base/sha256.h"
#include "core/base/strict_json.h"
#include "core/data/corpus/corpus_paths.h"
#include "core/data/corpus/record_log.h"
#include "core/data/corpus/settings_difference.h"
#include "core/data/json_lines.h"

namespace spd {
namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

constexpr JsonLimits kMetaLimits = {.max_bytes = size_t{1} << 24, .max_depth = 64, .max_values = 1'000'000};
constexpr const char* kStatistics = "statistics";
constexpr JsonLimits kRecordLimits = {.max_bytes = kMaxJsonLine, .max_depth = 8, .max_values = 1'000'000};

std::string hashOf(const std::vector<PromptId>& ids) {
    std::string texts;
    for (const PromptId& id : ids)
        texts += toText(id) + "\n";
    return sha256Hex(texts);
}

}  // namespace

class CorpusWriter::State {
public:
    State(CorpusPaths files, FileLock held, Json meta, const std::vector<PromptId>& ids)
        : paths(std::move(files)), lock_file(std::move(held)), places(ids.size()) {
        meta["prompt_ids_sha256"] = hashOf(ids);
        meta_text = meta.dump(2) + "\n";
        for (size_t i = 0; i < ids.size(); ++i)
            if (!index_of.emplace(ids[i], i).second)
                throw Error(ErrorKind::internal, "two prompts have the id " + printable(toText(ids[i]), 80));
    }

    void lookAround(const Json& meta, bool overwrite);
    void begin();
    void putInOrder();

    CorpusPaths paths;
    FileLock lock_file;
    std::string meta_text;
    std::map<PromptId, size_t> index_of;
    std::vector<RecordLog::Place> places;  ///< of each prompt's record in the log
    std::optional<RecordLog> log;          ///< nothing before the first record
    int64_t done = 0;
    bool complete = false;

private:
    std::string strangeness(const Json& meta) const;
    std::string missingFromOut() const;
    std::string resume();
};

/// Why what lies there is not this command's; empty when it is, or when nothing is there.
std::string CorpusWriter::State::strangeness(const Json& meta) const {
    const bool has_records = look(paths.out) != Found::nothing || look(paths.partial) == Found::content;
    if (look(paths.meta) == Found::nothing)
        return has_records ? "there already, and no " + paths.meta.filename().native() + " says what made it"
                           : "";
    try {
        Json before =
            parseStrictJson(readFile(paths.meta, kMetaLimits.max_bytes), paths.meta.native(), kMetaLimits);
        if (before.is_object())
            before.erase(kStatistics);  // what came out, not what made it
        return strangeSettings(before, meta, paths.meta.filename().native());
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::file_format)
            throw;
        return fmt::format("nothing says what made it ({})", error.what());
    }
}

/// What a finished OUT lacks; empty when it has one record a prompt in their order.
std::string CorpusWriter::State::missingFromOut() const {
    size_t next = 0;
    try {
        readCorpus(paths.out, [&](int64_t, const CorpusRecord& record) {
            const auto found = index_of.find(record.id);
            if (found == index_of.end() || found->second != next)
                throw rowError("not the record that belongs here");
            ++next;
        });
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::file_format)
            throw;
        return error.what();
    }
    return next == places.size() ? "" : fmt::format("{} of {} records", next, places.size());
}

void CorpusWriter::State::lookAround(const Json& meta, bool overwrite) {
    std::string reason = strangeness(meta);
    if (reason.empty() && look(paths.partial) != Found::nothing && look(paths.meta) != Found::nothing) {
        // OUT, if there, is an earlier one that this run is to replace.
        reason = resume();
    } else if (reason.empty() && look(paths.out) != Found::nothing && !overwrite) {
        const std::string missing = missingFromOut();
        complete = missing.empty();
        if (!complete)
            reason = "changed since it was made: " + missing;
    }
    if (!reason.empty() && !overwrite)
        throw Error(ErrorKind::invalid_argument, fmt::format("{}: {}; --overwrite starts anew",
                                                             printable(paths.out.native(), 1000), reason));
    if (complete)
        done = static_cast<int64_t>(places.size());
}

/// Why the log cannot be gone on with; empty when it can.
std::string CorpusWriter::State::resume() {
    try {
        log = RecordLog::resume(paths.partial, [&](const RecordLog::Place& place, std::string_view line) {
            const CorpusRecord record = readCorpusRecord(-1, parseStrictJson(line, "record", kRecordLimits));
            const auto found = index_of.find(record.id);
            if (found == index_of.end())
                throw rowError(
                    fmt::format("id {} is none of the prompts'", printable(toText(record.id), 80)));
            if (places[found->second].offset >= 0)
                throw rowError(fmt::format("id {} is there twice", printable(toText(record.id), 80)));
            places[found->second] = place;
            ++done;
        });
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::file_format)
            throw;
        std::fill(places.begin(), places.end(), RecordLog::Place{});
        done = 0;
        return error.what();
    }
    return "";
}

/// The log before the settings: a kill in between leaves an empty log, which says nothing. The other way
/// round an old OUT or log would pass for the new settings'.
void CorpusWriter::State::begin() {
    log = RecordLog::create(paths.partial);
    writeFileAtomically(paths.meta, meta_text);
}

void CorpusWriter::State::putInOrder() {
    constexpr size_t kBlock = size_t{1} << 20;
    AtomicFile out(paths.out);
    std::string block;
    for (const RecordLog::Place& place : places) {
        block += log->read(place);
        if (block.size() < kBlock)
            continue;
        out.append(block);
        block.clear();
    }
    out.append(block);
    out.commit();
    log->remove();
    log.reset();
}

CorpusWriter::CorpusWriter(std::unique_ptr<State> state) : state_(std::move(state)) {}
CorpusWriter::CorpusWriter(CorpusWriter&&) noexcept = default;
CorpusWriter& CorpusWriter::operator=(CorpusWriter&&) noexcept = default;
CorpusWriter::~CorpusWriter() = default;

CorpusWriter CorpusWriter::open(const fs::path& out, const Json& meta, const std::vector<PromptId>& ids,
                                bool overwrite) {
    if (ids.empty())
        throw Error(ErrorKind::internal, "a corpus of no prompts");
    const CorpusPaths paths(out);
    checkCorpusPaths(paths);
    FileLock held = lockCorpus(paths);
    removeTemporaries(paths);
    auto state = std::make_unique<State>(paths, std::move(held), meta, ids);
    // As it will be read back: a number's spelling may differ from the caller's value.
    state->lookAround(parseStrictJson(state->meta_text, "settings", kMetaLimits), overwrite);
    return CorpusWriter(std::move(state));
}

bool CorpusWriter::complete() const {
    return state_->complete;
}

bool CorpusWriter::isDone(size_t index) const {
    return state_->complete || state_->places.at(index).offset >= 0;
}

int64_t CorpusWriter::doneCount() const {
    return state_->done;
}

void CorpusWriter::append(size_t index, const CorpusRecord& record) {
    const auto found = state_->index_of.find(record.id);
    if (found == state_->index_of.end() || found->second != index || isDone(index))
        throw Error(ErrorKind::internal, "a record that is not wanted: " + printable(toText(record.id), 80));
    const std::string line = toJsonLine(record);
    if (line.size() > kMaxJsonLine)
        throw Error(ErrorKind::internal, "a record longer than can be read back");
    if (!state_->log)
        state_->begin();
    state_->places[index] = state_->log->append(line);
    ++state_->done;
}

void CorpusWriter::finish() {
    if (state_->complete)
        return;
    if (state_->done != static_cast<int64_t>(state_->places.size()))
        throw Error(ErrorKind::internal, "finish() before all prompts are done");
    state_->putInOrder();
    state_->complete = true;
}

void CorpusWriter::recordStatistics(const Json& statistics) {
    if (!state_->complete)
        throw Error(ErrorKind::internal, "statistics before finish()");
    Json meta = Json::parse(state_->meta_text);
    meta[kStatistics] = statistics;
    const std::string text = meta.dump(2) + "\n";
    if (text != readFile(state_->paths.meta, kMetaLimits.max_bytes))
        writeFileAtomically(state_->paths.meta, text);
}

}  // namespace spd
