#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"

namespace spd {

inline constexpr int64_t kMaxJsonLine = int64_t{64} << 20;  ///< bytes of one row without its line end

/// Streams a JSON Lines file: UTF-8, one object a line, line ends LF or CRLF, blank lines count as lines but
/// are no rows, the last line may lack its end. One row is in memory at a time; a row over kMaxJsonLine is
/// skipped without being held. Each row is what parseStrictJson() accepts, nested at most 64 deep, at most
/// 1,000,000 values.
/// @param on_row  called for each good row in order, with the physical line counted from 0. It refuses a row
///     by throwing rowError(), or any Error of kind file_format; other exceptions end the reading.
/// @throws Error file_format when any row was refused, after the last row: what() is "FILE: line N: RULE"
///     (N counted from 1, as editors do) of the first and how many more, details() such a line for each of up
///     to 1,000 where there are several. Also when the file is something else (gzip, Parquet, CSV, HTML, a
///     JSON array, UTF-16, ...), which is named, or has no row at all.
/// @throws Error not_found, io (also when the file changed while it was read)
void readJsonLines(const std::filesystem::path& path,
                   const std::function<void(int64_t line, const nlohmann::ordered_json& row)>& on_row);

/// What on_row throws: the rule alone; the reader adds file and line.
Error rowError(const std::string& rule);

/// Fields of a row. All throw rowError() when the field is missing (naming a field that differs only in
/// case), null or of another type.
const nlohmann::ordered_json& requireField(const nlohmann::ordered_json& row, std::string_view field);
const std::string& requireString(const nlohmann::ordered_json& row, std::string_view field);
int64_t requireInteger(const nlohmann::ordered_json& row, std::string_view field);
std::vector<int64_t> requireIntegers(const nlohmann::ordered_json& row, std::string_view field);
/// Null where the row has no such field. @throws Error rowError() when there is one that differs only in case
const nlohmann::ordered_json* findField(const nlohmann::ordered_json& row, std::string_view field);
/// True when `value` is an integer that int64 holds, written without a fraction or exponent.
bool isInt64(const nlohmann::ordered_json& value);

}  // namespace spd
