#include "app/cli/progress_line.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

namespace spd::cli {

namespace {

std::string duration(double seconds) {
    const auto whole = static_cast<int64_t>(seconds + 0.5);
    if (whole >= 3600)
        return fmt::format("{} h {:02} min", whole / 3600, whole / 60 % 60);
    return whole >= 60 ? fmt::format("{} min {:02} s", whole / 60, whole % 60) : fmt::format("{} s", whole);
}

}  // namespace

ProgressLine::ProgressLine() : on_terminal_(isatty(STDERR_FILENO) == 1) {}

ProgressLine::~ProgressLine() {
    if (shown_)
        std::fputs("\n", stderr);
}

void ProgressLine::show(const Progress& progress) {
    if (!on_terminal_)
        return;
    const Clock::time_point now = Clock::now();
    if (progress.phase != phase_) {
        phase_ = progress.phase;
        phase_start_ = now;
        phase_first_ = progress.done;
    } else if (progress.done < progress.total && now - last_ < std::chrono::milliseconds(100)) {
        return;
    }
    last_ = now;
    std::string line = progress.phase;
    if (progress.total > 0)
        line += fmt::format(" {} of {}", progress.done, progress.total);
    if (!progress.note.empty())
        line += ", " + progress.note;
    if (progress.tokens_per_second > 0)
        line += fmt::format(", {:.0f} tokens/s", progress.tokens_per_second);
    const int64_t fresh = progress.done - phase_first_;
    if (fresh > 0 && progress.done < progress.total) {
        const double elapsed = std::chrono::duration<double>(now - phase_start_).count();
        line += ", " +
                duration(elapsed * static_cast<double>(progress.total - progress.done) /
                         static_cast<double>(fresh)) +
                " left";
    }
    std::fprintf(stderr, "\r\033[K%s", line.c_str());
    std::fflush(stderr);
    shown_ = true;
}

void ProgressLine::say(const std::string& message) {
    std::fprintf(stderr, "%sspd: %s\n", shown_ ? "\r\033[K" : "", message.c_str());
    std::fflush(stderr);
    shown_ = false;
}

JobContext ProgressLine::attach(const JobContext& context) {
    return {context.stop, [this](const Progress& progress) { show(progress); },
            [this](const std::string& message) { say(message); }};
}

}  // namespace spd::cli
