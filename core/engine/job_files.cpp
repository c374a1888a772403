#include "core/engine/job_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/strict_json.h"
#include "core/protocol/message.h"

namespace spd::engine {
namespace {

using nlohmann::ordered_json;
using protocol::Job;

constexpr size_t kMaxJobBytes = size_t{16} << 20;

std::string textOf(const ordered_json& json) {
    return json.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

void appendText(const std::filesystem::path& path, const std::string& text) {
    const FileHandle file(open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666));
    if (!file)
        throwSystemError(path, "cannot open");
    const off_t size = lseek(file.descriptor(), 0, SEEK_END);
    char last = '\n';
    if (size > 0 && pread(file.descriptor(), &last, 1, size - 1) != 1)
        throwSystemError(path, "cannot read");
    const std::string whole =
        last == '\n' ? text : '\n' + text;  // a kill or a full disk has cut the last line
    if (write(file.descriptor(), whole.data(), whole.size()) != static_cast<ssize_t>(whole.size()))
        throwSystemError(path, "cannot write");
}

}  // namespace

JobFiles::JobFiles(std::filesystem::path folder) : folder_(std::move(folder)) {
    std::error_code error;
    std::filesystem::create_directories(folder_, error);
    if (error)
        throw Error(ErrorKind::io, fmt::format("{}: cannot make this folder: {}", printable(folder_.native()),
                                               error.message()));
}

std::filesystem::path JobFiles::path(const std::string& job, const char* ending) const {
    return folder_ / fmt::format("{}{}", job, ending);
}

std::vector<Job> JobFiles::readAll(std::vector<std::string>& unread) const {
    std::vector<Job> jobs;
    for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
        const std::filesystem::path& file = entry.path();
        if (file.extension() != ".json" || file.filename().native().starts_with('.'))
            continue;
        try {
            const ordered_json json =
                parseStrictJson(readFile(file, kMaxJobBytes), file.native(), {.max_bytes = kMaxJobBytes});
            jobs.push_back(Job::fromJson(json));
        } catch (const Error& error) {
            unread.emplace_back(error.what());
        } catch (const protocol::Refusal& refusal) {
            unread.push_back(fmt::format("{}: {}", printable(file.native()), refusal.what()));
        }
    }
    std::sort(jobs.begin(), jobs.end(), [](const Job& a, const Job& b) { return a.id < b.id; });
    return jobs;
}

void JobFiles::write(const Job& job) const {
    writeFileAtomically(path(job.id, ".json"), textOf(job.toJson()));
}

void JobFiles::remove(const std::string& job) const noexcept {
    for (const char* ending : {".json", ".metrics.jsonl", ".log"}) {
        std::error_code ignored;
        std::filesystem::remove(path(job, ending), ignored);
    }
}

void JobFiles::appendMetrics(const std::string& job, std::span<const ordered_json> points) const {
    std::string lines;
    for (const ordered_json& point : points)
        lines += textOf(point) + '\n';
    appendText(path(job, ".metrics.jsonl"), lines);
}

void JobFiles::appendLog(const std::string& job, std::span<const std::string> lines) const {
    std::string text;
    for (const std::string& line : lines)
        text += line + '\n';
    appendText(path(job, ".log"), text);
}

JobFiles::Points JobFiles::metrics(const std::string& job, int64_t from, int64_t limit) const {
    Points read{.points = ordered_json::array(), .next = from};
    std::ifstream file(path(job, ".metrics.jsonl"));
    std::string line;
    for (int64_t index = 0; read.next < from + limit && std::getline(file, line); ++index) {
        if (index < from)
            continue;
        ++read.next;
        const ordered_json point = ordered_json::parse(line, nullptr, /*allow_exceptions=*/false);
        if (point.is_object())
            read.points.push_back(point);
    }
    return read;
}

int64_t JobFiles::countMetrics(const std::string& job) const {
    std::ifstream file(path(job, ".metrics.jsonl"));
    return std::count(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>(), '\n');
}

std::vector<std::string> JobFiles::log(const std::string& job, int64_t limit) const {
    std::vector<std::string> lines;
    std::ifstream file(path(job, ".log"));
    std::string line;
    while (std::getline(file, line)) {
        lines.push_back(line);
        if (std::ssize(lines) > 2 * limit)
            lines.erase(lines.begin(), lines.end() - limit);
    }
    if (std::ssize(lines) > limit)
        lines.erase(lines.begin(), lines.end() - limit);
    return lines;
}

}  // namespace spd::engine
