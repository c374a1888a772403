#include "tests/support/corpus_job.h"

#include <algorithm>
#include <numeric>
#include <random>

namespace spd::test {

CorpusJob::CorpusJob(size_t count, double temperature) {
    for (size_t i = 0; i < count; ++i) {
        if (i % 3 == 0)
            ids_.emplace_back("set/" + std::to_string(i));
        else
            ids_.emplace_back(static_cast<int64_t>(i) - 2);
    }
    meta_ = {{"model", "abc"}, {"generation", {{"temperature", temperature}, {"top_k", 20}}}};
}

CorpusRecord CorpusJob::record(size_t index) const {
    CorpusRecord record = {.id = ids_[index],
                           .prompt = "Question " + std::to_string(index) + "\nAnswer:",
                           .completion = " \xC3\xA9\xF0\x9F\x98\x80 \"" + std::string(index * 7 % 50, 'x'),
                           .completion_ids = {},
                           .finish_reason = index % 2 == 0 ? "stop" : "length",
                           .prompt_tokens = static_cast<int64_t>(index) + 3};
    for (size_t i = 0; i < index % 5; ++i)
        record.completion_ids.push_back(static_cast<int32_t>(index * 1000 + i));
    return record;
}

std::string CorpusJob::expected() const {
    std::string text;
    for (size_t i = 0; i < ids_.size(); ++i) {
        const CorpusRecord r = record(i);
        const std::string number = std::to_string(static_cast<int64_t>(i) - 2);
        text += "{\"id\":" + (i % 3 == 0 ? "\"set/" + std::to_string(i) + "\"" : number);
        text += ",\"prompt\":\"Question " + std::to_string(i) + "\\nAnswer:\"";
        text += ",\"completion\":\" \xC3\xA9\xF0\x9F\x98\x80 \\\"" + std::string(i * 7 % 50, 'x') + "\"";
        text += ",\"completion_ids\":[";
        for (size_t k = 0; k < r.completion_ids.size(); ++k)
            text += (k == 0 ? "" : ",") + std::to_string(r.completion_ids[k]);
        text += "],\"finish_reason\":\"" + r.finish_reason + "\",\"prompt_tokens\":" + std::to_string(i + 3);
        text += ",\"completion_tokens\":" + std::to_string(r.completion_ids.size()) + "}\n";
    }
    return text;
}

int CorpusJob::run(const std::filesystem::path& out, uint32_t seed, bool overwrite, int limit) const {
    CorpusWriter writer = CorpusWriter::open(out, meta_, ids_, overwrite);
    if (writer.complete())
        return 0;
    std::vector<size_t> order(ids_.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::mt19937 random(seed);
    for (size_t i = order.size(); i > 1; --i)
        std::swap(order[i - 1], order[random() % i]);
    int appended = 0;
    for (const size_t index : order) {
        if (writer.isDone(index))
            continue;
        if (appended == limit)
            return appended;
        writer.append(index, record(index));
        ++appended;
    }
    writer.finish();
    return appended;
}

}  // namespace spd::test
