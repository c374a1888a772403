#include "core/io/checkpoint.h"

#include <fmt/format.h>

#include <unordered_map>

#include "core/base/error.h"
#include "core/io/weights/stored_tensors.h"
#include "core/io/weights/tensor_check.h"

namespace spd {

struct Checkpoint::Impl {
    std::filesystem::path folder;
    ModelConfig config;
    StoredTensors stored;
    std::unordered_map<std::string, StoredTensor> weights;  ///< the expected ones

    const StoredTensor& find(const std::string& name) const {
        const auto found = weights.find(name);
        if (found == weights.end())
            throw Error(ErrorKind::internal, fmt::format("the model has no tensor {}", name));
        return found->second;
    }
};

namespace {

/// C5: every tensor that the model needs is there, in the shape that config.json says.
void refuseProblems(const std::vector<TensorCheck>& checks, const StoredTensors& stored) {
    std::vector<std::string> problems;
    ErrorKind kind = ErrorKind::unsupported_model;
    for (const TensorCheck& check : checks)
        if (std::string problem = problemOf(check, stored); !problem.empty()) {
            problems.push_back(std::move(problem));
            if (check.state != TensorCheck::State::unsupported_type)
                kind = ErrorKind::file_format;
        }
    if (problems.empty())
        return;
    std::string message = problems.front();
    if (problems.size() > 1)
        message += fmt::format(" and {} more tensors that do not fit", problems.size() - 1);
    throw Error(kind, message).withDetails(std::move(problems));
}

}  // namespace

Checkpoint Checkpoint::open(const std::filesystem::path& folder, const JobContext& context) {
    ModelConfig config = readModelConfig(folder);
    auto impl = std::make_unique<Impl>(Impl{folder, std::move(config), StoredTensors::open(folder), {}});
    const std::vector<TensorCheck> checks = checkTensors(impl->config, impl->stored);
    refuseProblems(checks, impl->stored);
    if (impl->config.tie_word_embeddings)
        if (const std::string problem = tiedHeadProblem(impl->stored, context); !problem.empty())
            throw Error(ErrorKind::file_format, problem);
    for (const ExpectedTensor& expected : expectedTensors(impl->config))
        impl->weights.emplace(expected.name, impl->stored.find(expected.name));
    return Checkpoint(std::move(impl));
}

Checkpoint::Checkpoint(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Checkpoint::Checkpoint(Checkpoint&&) noexcept = default;
Checkpoint& Checkpoint::operator=(Checkpoint&&) noexcept = default;
Checkpoint::~Checkpoint() = default;

const ModelConfig& Checkpoint::config() const {
    return impl_->config;
}

const std::filesystem::path& Checkpoint::folder() const {
    return impl_->folder;
}

DType Checkpoint::storedType(const std::string& name) const {
    return *computableType(impl_->find(name).entry->type);
}

void Checkpoint::read(const std::string& name, int64_t first, int64_t count, DType as, void* out) const {
    const StoredTensor& tensor = impl_->find(name);
    const int64_t elements = tensor.entry->elements();
    if (first < 0 || count < 0 || first > elements || count > elements - first)
        throw Error(ErrorKind::internal,
                    fmt::format("{}: elements {} + {} of {}", name, first, count, elements));
    readElements(tensor, first, count, as, out);
}

void Checkpoint::checkUnchanged() const {
    impl_->stored.checkUnchanged();
}

}  // namespace spd
