#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "core/data/prompts.h"

namespace spd {

/// One row of a data set.
struct DataRow {
    PromptId id;                    ///< "SET/SPLIT/ROW", rows from 0, for MBPP its task_id; a file's own id
    bool own_id = true;             ///< false: the file gave none, `id` is the line's number
    int64_t line = 0;               ///< physical line of a file, row of a shipped set, both from 0
    nlohmann::ordered_json fields;  ///< object
};

/// Rows with distinct ids.
struct DataSet {
    std::string name;    ///< "gsm8k/train", or the path that was given
    std::string sha256;  ///< of a file's bytes; of a shipped set over the names and bytes of its files
    std::vector<DataRow> rows;
};

/// Names that openDataSet() knows, sorted.
std::vector<std::string> shippedDataSets();

/// The licence that a shipped set may be passed on under: "MIT", "CC BY 4.0".
std::string_view licenceOf(std::string_view shipped);

/// A shipped data set by its name, else a JSON Lines file by its path (a missing id is the line's number).
///
/// | name | rows | fields |
/// |---|---|---|
/// | gsm8k/train, gsm8k/test | 7,473, 1,319 | question, answer |
/// | svamp/all | 1,000 | question ("BODY. QUESTION", the period added where it lacks), answer, and the file's
/// | | mbpp/train | 464: the full set's validation and train split | text, code, test_list, and the file's |
/// | mbpp/test | 500, full | the same |
/// | mbpp/sanitized-test | 257 | the same, `text` from the file's `prompt` |
/// | mmlu/dev, val, test, auxiliary_train | 285, 1,531, 14,042, 1,218 | question, choices [4], answer
/// (letter), subject | | mmlu/train | 2,000 of val and auxiliary_train together (2,749) | the same | |
/// bbh/TASK | 250 or fewer | input, target |
///
/// mmlu/train leaves out rows whose question and choices (blanks normalised) are also those of a row of dev
/// or test, or of an earlier row, then takes the first 2,000 of permutation(rest, 42, kShippedRows), in the
/// order of the files. Rows of several files are counted through in the order of their names; ids keep the
/// file's own split ("mmlu/val/17").
/// @throws Error not_found (neither a name nor a file; names are listed), file_format, io
DataSet openDataSet(const std::string& name);

}  // namespace spd
