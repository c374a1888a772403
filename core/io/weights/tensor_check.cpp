#include "core/io/weights/tensor_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "core/base/error.h"
#include "core/io/weights/convert.h"

namespace spd {
namespace {

constexpr int64_t elements_per_block = int64_t{1}
                                       << 19;  // 1 to 2 MiB: stays in the cache between read and conversion

TensorCheck checkOne(const ExpectedTensor& expected, const StoredTensors& stored) {
    TensorCheck check{TensorCheck::State::found, expected.name, expected.shape, stored.find(expected.name)};
    if (check.stored.entry == nullptr)
        check.state = TensorCheck::State::missing;
    else if (check.stored.entry->shape != expected.shape)
        check.state = TensorCheck::State::wrong_shape;
    else if (!computableType(check.stored.entry->type))
        check.state = TensorCheck::State::unsupported_type;
    return check;
}

/// Element at which two tensors of one shape differ as float32, if they do.
std::optional<int64_t> firstDifference(const StoredTensor& a, const StoredTensor& b,
                                       const JobContext& context) {
    const int64_t total = a.entry->elements();
    std::vector<float> of_a(static_cast<size_t>(std::min(total, elements_per_block)));
    std::vector<float> of_b(of_a.size());
    for (int64_t first = 0; first < total; first += elements_per_block) {
        context.checkStop();
        const int64_t count = std::min(elements_per_block, total - first);
        readElements(a, first, count, DType::float32, of_a.data());
        readElements(b, first, count, DType::float32, of_b.data());
        if (std::memcmp(of_a.data(), of_b.data(), static_cast<size_t>(count) * sizeof(float)) == 0)
            continue;
        size_t i = 0;
        while (std::memcmp(&of_a[i], &of_b[i], sizeof(float)) == 0)
            ++i;
        return first + static_cast<int64_t>(i);
    }
    return std::nullopt;
}

}  // namespace

const char* const head_name = "lm_head.weight";
const char* const embedding_name = "model.embed_tokens.weight";

std::optional<DType> computableType(ElementType type) {
    switch (type) {
        case ElementType::f32:
            return DType::float32;
        case ElementType::bf16:
            return DType::bfloat16;
        case ElementType::f16:
            return DType::float16;
        default:
            return std::nullopt;
    }
}

std::vector<TensorCheck> checkTensors(const ModelConfig& config, const StoredTensors& stored) {
    std::vector<TensorCheck> checks;
    std::vector<std::string_view> used;
    for (const ExpectedTensor& expected : expectedTensors(config))
        checks.push_back(checkOne(expected, stored));
    // A tied head that is stored nevertheless must be the embedding's size, so that it can be compared with
    // it.
    if (config.tie_word_embeddings && stored.find(head_name).entry != nullptr)
        checks.push_back(checkOne({head_name, {config.vocab_size, config.hidden_size}}, stored));

    for (const TensorCheck& check : checks)
        used.push_back(check.name);
    std::sort(used.begin(), used.end());
    std::vector<TensorCheck> unused;
    for (const StoredTensor& tensor : stored.all())
        if (!std::binary_search(used.begin(), used.end(), std::string_view(tensor.entry->name)))
            unused.push_back({TensorCheck::State::unused, tensor.entry->name, {}, tensor});
    checks.insert(checks.end(), unused.begin(), unused.end());
    return checks;
}

std::string problemOf(const TensorCheck& check, const StoredTensors& stored) {
    std::string rule;
    switch (check.state) {
        case TensorCheck::State::found:
        case TensorCheck::State::unused:
            return "";
        case TensorCheck::State::missing:
            rule = fmt::format("is missing (shape {})", shapeText(check.expected_shape));
            break;
        case TensorCheck::State::wrong_shape:
            rule = fmt::format("has shape {}, config.json says {}", shapeText(check.stored.entry->shape),
                               shapeText(check.expected_shape));
            break;
        case TensorCheck::State::unsupported_type:
            rule = fmt::format("is stored as {}, only F32, BF16 and F16 are supported",
                               name(check.stored.entry->type));
            break;
    }
    const std::string& file = check.stored.file != nullptr ? check.stored.file->name() : stored.name();
    return Error::fileFormat(file, fmt::format("tensor \"{}\"", check.name), rule).what();
}

std::string tiedHeadProblem(const StoredTensors& stored, const JobContext& context) {
    const StoredTensor head = stored.find(head_name);
    const StoredTensor embedding = stored.find(embedding_name);
    if (head.entry == nullptr || embedding.entry == nullptr)
        return "";
    const std::optional<int64_t> element = firstDifference(head, embedding, context);
    if (!element)
        return "";
    const std::string rule =
        fmt::format("differs from {} at element {}, though config.json says tie_word_embeddings",
                    embedding_name, *element);
    return Error::fileFormat(head.file->name(), fmt::format("tensor \"{}\"", head_name), rule).what();
}

void readElements(const StoredTensor& tensor, int64_t first, int64_t count, DType as, void* out) {
    const DType from = *computableType(tensor.entry->type);
    const auto from_bytes = static_cast<uint64_t>(bytesPerElement(from));
    if (from == as) {
        tensor.file->read(*tensor.entry, static_cast<uint64_t>(first) * from_bytes,
                          static_cast<uint64_t>(count) * from_bytes, out);
        return;
    }
    std::vector<char> block(static_cast<size_t>(std::min(count, elements_per_block)) * from_bytes);
    auto* to = static_cast<char*>(out);
    for (int64_t done = 0; done < count; done += elements_per_block) {
        const auto now = static_cast<size_t>(std::min(elements_per_block, count - done));
        tensor.file->read(*tensor.entry, static_cast<uint64_t>(first + done) * from_bytes, now * from_bytes,
                          block.data());
        convertElements(block.data(), from, to, as, now);
        to += now * static_cast<size_t>(bytesPerElement(as));
    }
}

}  // namespace spd
