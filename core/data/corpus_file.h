#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/data/prompts.h"

namespace spd {

/// One line of a corpus: {"id","prompt","completion","completion_ids","finish_reason","prompt_tokens",
/// "completion_tokens"}; completion_tokens is the number of completion_ids.
struct CorpusRecord {
    PromptId id;
    std::string prompt;
    std::string completion;  ///< valid UTF-8, without special tokens
    std::vector<int32_t> completion_ids;
    std::string finish_reason;  ///< "stop" or "length"
    int64_t prompt_tokens = 0;
};

/// Writes a corpus so that a kill at any moment loses nothing that append() returned for, and the finished
/// file has the same bytes as one that was never interrupted. For OUT "x.jsonl":
///   x.partial.jsonl   records in order of completion, each synced
///   x.meta.json       what made it (settings, hashes of inputs); written before the first record, stays;
///                     once x.jsonl is there also its statistics
///   x.jsonl           all records in the order of the prompts; appears whole when finish() is done
///   .x.lock           held with flock by the one writer; removed by its destructor
/// An earlier x.jsonl stays until its successor is complete. Nothing but the lock is created before the first
/// append(). Not thread-safe.
class CorpusWriter {
public:
    /// Looks at what lies there and takes the lock.
    /// @param meta  object; equal meta means the same command. Written with "prompt_ids_sha256" added to it.
    /// @param ids   of all prompts in their order, distinct.
    /// @param overwrite  start anew when what lies there was made by another command or is finished or
    ///     damaged; what the same command began is still resumed.
    /// @throws Error invalid_argument (made by another command: names the settings that differ; nothing says
    ///     by which; damaged elsewhere than in its last line; another process writes it; no regular file;
    ///     a name too long),
    ///     not_found (folder), io (folder not writable)
    static CorpusWriter open(const std::filesystem::path& out, const nlohmann::ordered_json& meta,
                             const std::vector<PromptId>& ids, bool overwrite);
    CorpusWriter(CorpusWriter&&) noexcept;
    CorpusWriter& operator=(CorpusWriter&&) noexcept;
    ~CorpusWriter();

    /// OUT is there and made by this command: nothing is left to do, finish() included.
    bool complete() const;
    bool isDone(size_t index) const;
    int64_t doneCount() const;

    /// Returns when the record is on the disk. After an error of the disk no further append is accepted; what
    /// was appended before stays valid for the next start.
    /// @param index  of the prompt in `ids`; not done yet. @throws Error io
    void append(size_t index, const CorpusRecord& record);

    /// Puts OUT in its place and removes the partial file. All prompts must be done. @throws Error io
    void finish();

    /// Keeps what came out beside what made it, as "statistics" in the meta file; equal ones change nothing.
    /// After finish(). @throws Error io
    void recordStatistics(const nlohmann::ordered_json& statistics);

private:
    class State;
    explicit CorpusWriter(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

/// The record as one line, without line end. @throws Error internal when a text is not UTF-8
std::string toJsonLine(const CorpusRecord& record);

/// The record of a row, every field checked. @param line  the id where there is none. @throws Error
/// rowError()
CorpusRecord readCorpusRecord(int64_t line, const nlohmann::ordered_json& row);

/// Reads a finished corpus. Every field is checked; equal ids are refused.
/// @param on_record  gets the physical line from 0; may throw rowError().
/// @throws Error as readJsonLines()
void readCorpus(const std::filesystem::path& path,
                const std::function<void(int64_t line, const CorpusRecord& record)>& on_record);

}  // namespace spd
