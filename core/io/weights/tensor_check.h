#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/base/job_context.h"
#include "core/io/checkpoint.h"
#include "core/io/weights/stored_tensors.h"

namespace spd {

/// How a tensor that the model needs, or that the folder holds, fits.
struct TensorCheck {
    enum class State {
        found,
        missing,
        wrong_shape,
        unsupported_type,  ///< not float32, bfloat16 or float16
        unused,            ///< stored, but nothing of this architecture
    };
    State state = State::found;
    std::string name;
    std::vector<int64_t> expected_shape;  ///< empty for unused
    StoredTensor stored;                  ///< empty for missing
};

/// Every expected tensor in the order of expectedTensors(), then the unused ones by name. Never throws on a
/// tensor that does not fit. `stored` must outlive the result.
std::vector<TensorCheck> checkTensors(const ModelConfig& config, const StoredTensors& stored);

/// float32, bfloat16, float16, or nullopt.
std::optional<DType> computableType(ElementType type);

/// One line: "FILE: tensor "NAME": RULE"; nothing for found and unused ones.
std::string problemOf(const TensorCheck& check, const StoredTensors& stored);

/// "lm_head.weight": the name under which a tied model may store its embedding again.
extern const char* const head_name;
extern const char* const embedding_name;

/// C9: a tied model's head is its embedding, and a stored head that differs would silently be ignored. One
/// line then, empty where the two are equal as float32 or there is no such tensor. Reads both whole; both
/// must have been found to fit. @throws Error io; Cancelled
std::string tiedHeadProblem(const StoredTensors& stored, const JobContext& context);

/// Elements [first, first + count) converted to `as`. @throws Error io
void readElements(const StoredTensor& tensor, int64_t first, int64_t count, DType as, void* out);

}  // namespace spd
