// corpus.rows, corpus.statistics.

#include <map>
#include <memory>

#include "app/cli/engine/engine_messages.h"
#include "app/cli/engine/jobs/stage_jobs.h"
#include "core/base/error.h"
#include "core/data/corpus/corpus_view.h"

namespace spd::cli {
namespace {

using nlohmann::ordered_json;
using protocol::Code;
using protocol::Params;
using protocol::Refusal;

/// The corpora that were looked at last.
class CorpusShelf {
public:
    CorpusView& view(const std::filesystem::path& out) {
        constexpr size_t kMost = 4;  // an index of 100,000 records is a few MiB
        if (views_.size() == kMost && !views_.contains(out))
            views_.clear();
        CorpusView& view = views_.try_emplace(out, out).first->second;
        view.update();
        return view;
    }

private:
    std::map<std::filesystem::path, CorpusView> views_;
};

std::filesystem::path corpusOf(const Workplace& workplace, Params& params) {
    const std::string path = params.text("path", "");
    const std::string run = params.text("run", "");
    if (path.empty() == run.empty())
        throw Refusal(Code::invalid_params, "path or run says which corpus, one of them");
    return run.empty() ? std::filesystem::path(path) : runPlaceOf(workplace, run).corpus();
}

ordered_json rows(const Workplace& workplace, CorpusShelf& shelf, const ordered_json& json) {
    constexpr int64_t kMostBytes = int64_t{16} << 20;
    Params params(json);
    const std::filesystem::path out = corpusOf(workplace, params);
    const int64_t from = params.integer("from", 0);
    const int64_t count = params.integer("count", 100);
    params.refuseOthers();
    if (from < 0 || count < 1 || count > 10'000)
        throw Refusal(Code::invalid_params, "from must not be negative, count lie in [1, 10000]");
    const CorpusView& view = shelf.view(out);
    return {{"rows", view.rows(from, count, kMostBytes)},
            {"total", view.count()},
            {"there", view.isThere()},
            {"complete", view.isComplete()}};
}

ordered_json statistics(const Workplace& workplace, CorpusShelf& shelf, const ordered_json& json) {
    Params params(json);
    const std::filesystem::path out = corpusOf(workplace, params);
    params.refuseOthers();
    const CorpusView& view = shelf.view(out);
    ordered_json result = {{"there", view.isThere()}, {"complete", view.isComplete()}};
    result.update(view.statistics().toJson());
    return result;
}

}  // namespace

void addCorpusMessages(engine::Server& server, Workplace& workplace) {
    auto shelf = std::make_shared<CorpusShelf>();  // the query thread's
    server.addQuery("corpus.rows", [&workplace, shelf](const ordered_json& params) {
        return rows(workplace, *shelf, params);
    });
    server.addQuery("corpus.statistics", [&workplace, shelf](const ordered_json& params) {
        return statistics(workplace, *shelf, params);
    });
}

}  // namespace spd::cli
