#include "core/generate/stop_strings.h"

#include <algorithm>

#include "core/base/error.h"

namespace spd {

StopStringScanner::StopStringScanner(std::vector<std::string> stops) : stops_(std::move(stops)) {
    if (std::any_of(stops_.begin(), stops_.end(), [](const std::string& stop) { return stop.empty(); }))
        throw Error(ErrorKind::invalid_argument, "stop: a stop string may not be empty");
}

bool StopStringScanner::add(std::string_view piece) {
    if (stopped_)
        return true;
    const size_t searched = text_.size();
    text_ += piece;
    size_t first_begin = 0;
    size_t first_end = std::string::npos;
    for (const std::string& stop : stops_) {
        const size_t overlap = std::min(searched, stop.size() - 1);
        const size_t begin = text_.find(stop, searched - overlap);
        if (begin == std::string::npos)
            continue;
        const size_t end = begin + stop.size();
        if (end < first_end || (end == first_end && begin < first_begin)) {
            first_begin = begin;
            first_end = end;
        }
    }
    stopped_ = first_end != std::string::npos;
    if (stopped_)
        text_.resize(first_begin);
    return stopped_;
}

StopStringMatcher::StopStringMatcher(const std::vector<std::string>& stops, const Tokenizer& tokenizer)
    : scanner_(stops), decoder_(tokenizer, /*skip_special_tokens=*/true) {
    for (const std::string& stop : stops) {
        const int32_t id = tokenizer.idOf(stop);
        if (id >= 0 && tokenizer.isSpecial(id))
            stop_ids_.push_back(id);
    }
}

bool StopStringMatcher::add(int32_t id) {
    if (std::find(stop_ids_.begin(), stop_ids_.end(), id) != stop_ids_.end()) {
        scanner_.add(decoder_.finish());  // half a character before it is in decode()'s text too
        return true;
    }
    return scanner_.add(decoder_.add(id));
}

}  // namespace spd
