// exportCorpus(): a corpus read twice, first for what the filter keeps, then to be written.

#include <fmt/format.h>

#include <map>
#include <optional>

#include "core/base/files.h"
#include "core/base/sha256.h"
#include "core/base/strict_json.h"
#include "core/data/corpus/corpus_paths.h"
#include "core/data/corpus_file.h"
#include "core/data/curation/corpus_formats.h"
#include "core/data/curation/corpus_statistics.h"
#include "core/data/json_lines.h"

namespace spd {
namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

constexpr JsonLimits kMetaLimits = {.max_bytes = size_t{1} << 24, .max_depth = 64, .max_values = 1'000'000};

Error invalid(const std::string& message) {
    return Error(ErrorKind::invalid_argument, message);
}

/// What made the corpus; null where nothing says so.
Json readMeta(const fs::path& corpus) {
    const fs::path path = metaOfCorpus(corpus);
    if (look(path) == Found::nothing)
        return nullptr;
    Json meta = parseStrictJson(readFile(path, kMetaLimits.max_bytes), path.native(), kMetaLimits);
    if (!meta.is_object())
        throw Error::fileFormat(path.native(), "", "an object is wanted");
    return meta;
}

fs::path extrasPath(const fs::path& out) {
    const std::string stem = (out.extension() == ".jsonl" ? out.stem() : out.filename()).native();
    return out.parent_path() / (stem + ".extras.jsonl");
}

void checkPaths(const CorpusExportRequest& request, const std::vector<fs::path>& written) {
    std::error_code unknown;  // of a path that is not there: then they are not the same file
    for (const fs::path& path : written) {
        for (const fs::path& input : {request.corpus, metaOfCorpus(request.corpus), request.prompts})
            if (fs::equivalent(input, path, unknown))
                throw invalid(printable(path.native(), 1000) + ": is an input of the export");
        if (look(path) != Found::nothing && !request.overwrite)
            throw invalid(printable(path.native(), 1000) + ": exists; --overwrite replaces it");
    }
}

/// What the prompts were before they were rendered.
class Conversations {
public:
    Conversations(const CorpusExportRequest& request, const Json& meta) : file_(request.prompts) {
        if (!file_.empty())
            for (Prompt& prompt : readPrompts(file_))
                by_id_.emplace(prompt.id, std::move(prompt));
        const bool rendered = meta.is_object() && meta.value("format", Json()) == "chat";
        const bool fits =
            request.format == CorpusFormat::prompt_completion || request.format == CorpusFormat::corpus;
        if (rendered && !fits && file_.empty())
            throw invalid(
                fmt::format("{}: its prompts are rendered conversations; --prompts names the file that "
                            "it was made of, --format prompt-completion takes them as they are",
                            printable(request.corpus.native(), 1000)));
    }

    /// The record's fields in the format. @throws Error rowError(), file_format
    Json format(CorpusFormat format, const CorpusRecord& record) const {
        if (by_id_.empty() || format == CorpusFormat::prompt_completion)
            return formatRecord(format, record.prompt, record.completion, nullptr);
        const auto found = by_id_.find(record.id);
        if (found == by_id_.end())
            throw rowError(fmt::format("the id {} is none of {}", printable(toText(record.id), 80),
                                       printable(file_.native(), 300)));
        const Prompt& prompt = found->second;
        return prompt.prompt ? formatRecord(format, *prompt.prompt, record.completion, nullptr)
                             : formatRecord(format, "", record.completion, &prompt.messages);
    }

private:
    fs::path file_;
    std::map<PromptId, Prompt> by_id_;
};

/// What a corpus' records have in common besides their own extras.
Json sharedExtras(const Json& meta) {
    Json shared = Json::object();
    if (!meta.is_object())
        return shared;
    if (meta.contains("seed"))
        shared["seed"] = meta["seed"];
    const auto intervention = meta.find("intervention");
    if (intervention != meta.end() && !intervention->empty())
        shared["intervention_sha256"] = sha256Hex(intervention->dump());
    return shared;
}

Json extrasOf(const CorpusRecord& record, const Json& shared) {
    Json extras = {{"id", toJson(record.id)},
                   {"finish_reason", record.finish_reason},
                   {"prompt_tokens", record.prompt_tokens},
                   {"completion_tokens", record.completion_ids.size()},
                   {"completion_ids", record.completion_ids}};
    extras.update(shared);
    return extras;
}

FilteredCorpus filterRecords(const CorpusExportRequest& request) {
    std::vector<std::string> completions;
    readCorpus(request.corpus,
               [&](int64_t, const CorpusRecord& record) { completions.push_back(record.completion); });
    FilteredCorpus filtered = filterCorpus(completions, request.filter);
    if (filtered.dropped() == static_cast<int64_t>(completions.size()))
        throw invalid(fmt::format("--filter {}: leaves nothing of {} completions", name(request.filter),
                                  completions.size()));
    return filtered;
}

/// The kept records' own meta: what made them, and what was left out.
void writeMeta(const CorpusExportRequest& request, Json meta, const CorpusExportSummary& summary) {
    const fs::path path = CorpusPaths(request.out).meta;
    if (meta.is_null()) {
        fs::remove(path);  // of an earlier OUT: nothing says what made this one
        return;
    }
    meta["statistics"] = summary.statistics;
    meta["filter"] = {{"name", name(request.filter)},
                      {"dropped", summary.filtered.dropped()},
                      {"corpus_sha256", sha256OfFile(request.corpus)}};
    writeFileAtomically(path, meta.dump(2) + "\n");
}

}  // namespace

CorpusExportSummary exportCorpus(const CorpusExportRequest& request) {
    const bool own = request.format == CorpusFormat::corpus;
    const Json meta = readMeta(request.corpus);
    CorpusExportSummary summary;
    summary.extras = own ? fs::path() : extrasPath(request.out);
    checkPaths(request, {request.out, own ? CorpusPaths(request.out).meta : summary.extras});
    const Conversations conversations(request, meta);
    summary.filtered = filterRecords(request);
    AtomicFile out(request.out);
    std::optional<AtomicFile> extras;
    if (!own)
        extras.emplace(summary.extras);
    const Json shared = sharedExtras(meta);
    CorpusStatistics statistics;
    readCorpus(request.corpus, [&](int64_t, const CorpusRecord& record) {
        const auto index = static_cast<size_t>(summary.records++);
        if (index >= summary.filtered.keeps.size())
            throw Error(ErrorKind::io, request.corpus.native() + ": was changed while it was read");
        if (!summary.filtered.keeps[index])
            return;
        statistics.add(record);
        out.append((own ? toJsonLine(record) : conversations.format(request.format, record).dump()) + "\n");
        if (extras)
            extras->append(extrasOf(record, shared).dump() + "\n");
    });
    summary.statistics = statistics.toJson();
    if (own)
        writeMeta(request, meta, summary);
    else
        extras->commit();
    out.commit();
    return summary;
}

}  // namespace spd
