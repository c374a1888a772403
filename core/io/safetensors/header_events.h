#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/strict_json_events.h"
#include "core/io/safetensors/header.h"

namespace spd {

/// Builds the header from JSON events, without a tree: a header may hold a million tensors. Checks everything
/// that concerns one entry alone (S15 to S32, S36 to S42); names used twice and gaps are the caller's.
class SafetensorsHeaderEvents final : public StrictJsonEvents {
public:
    SafetensorsHeaderEvents(const std::string& file, uint64_t data_bytes);

    /// @throws Error file_format, unsupported_model
    SafetensorsHeader read(std::string_view text);

    bool null() override;
    bool boolean(bool value) override;
    bool number_integer(number_integer_t value) override;
    bool number_unsigned(number_unsigned_t value) override;
    bool number_float(number_float_t value, const string_t& text) override;
    bool string(string_t& value) override;
    bool key(string_t& key) override;

private:
    /// What the next value is.
    enum class Place { top, tensor, type, shape, dimension, offsets, offset, metadata, metadata_value };

    void startObject() override;
    void endObject() override;
    void startArray() override;
    void endArray() override;

    void nameTensor(std::string& key);
    void nameField(const std::string& key);
    void nameMetadata(std::string& key);
    void addInteger(uint64_t value);
    void finishTensor();
    uint64_t bytesOfShape() const;
    [[noreturn]] void refuseType(std::string_view type) const;
    [[noreturn]] void refuseValue(std::string_view found) const;
    [[noreturn]] void refuseTensor(std::string_view rule) const;

    std::string file_;
    uint64_t data_bytes_;
    SafetensorsHeader header_;
    Place place_ = Place::top;
    TensorEntry tensor_;
    bool has_type_ = false;
    bool has_shape_ = false;
    bool has_offsets_ = false;
    size_t offsets_seen_ = 0;
    bool has_metadata_ = false;
    size_t metadata_bytes_ = 0;
    std::string metadata_key_;
};

}  // namespace spd
