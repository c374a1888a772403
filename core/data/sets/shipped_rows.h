#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/data/sets/data_set.h"

namespace spd {

/// Files of one shipped set, in the order of their names, read whole. Their hash stands for what was read.
struct ShippedFile {
    std::string path;  ///< below the folder of data sets, with '/'
    std::string content;
};

/// @throws Error not_found, file_format, io
ShippedFile readShipped(const std::filesystem::path& datasets, const std::string& path);
/// All files of a folder that end with `ending`, sorted by name.
std::vector<ShippedFile> readShippedFolder(const std::filesystem::path& datasets, const std::string& folder,
                                           const std::string& ending);

/// Rows with ids SPLIT_NAME/N, N from 0 (`split` is "gsm8k/train"), fields as data_set.h tells.
std::vector<DataRow> jsonLinesRows(const ShippedFile& file, const std::string& split);
std::vector<DataRow> svampRows(const ShippedFile& file);
std::vector<DataRow> bbhRows(const ShippedFile& file, const std::string& split);
std::vector<DataRow> mmluRows(const std::vector<ShippedFile>& files, const std::string& split);
/// MBPP's rows with first <= task_id <= last; the split in the id follows from the task_id.
/// @param sanitized  the array of the sanitized set instead of the full set's lines.
std::vector<DataRow> mbppRows(const ShippedFile& file, bool sanitized, int64_t first, int64_t last);

/// The training rows of mmlu/train, see openDataSet().
std::vector<DataRow> selectMmluTraining(std::vector<DataRow> candidates, const std::vector<DataRow>& others);

}  // namespace spd
