#pragma once

#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <vector>

#include "core/base/dtype.h"
#include "core/base/job_context.h"
#include "core/calibrate/calibration_settings.h"
#include "core/data/calibration_examples.h"
#include "core/pipeline/resident_model.h"
#include "core/pipeline/session.h"
#include "core/subspace/subspace.h"

namespace spd {

/// An example that has been through the model.
struct MeasuredExample {
    int64_t number = 0;  ///< from 0, in the order of the request
    CalibrationRecord record;
    double gradient_norm = 0;  ///< Frobenius norm of its K and V gradients, all targets together
};

/// Everything that decides a calibration, and how it is computed.
struct CalibrateRequest {
    std::filesystem::path out;                 ///< folder, see core/calibrate/calibration_folder.h
    std::vector<CalibrationExample> examples;  ///< at least one
    CalibrationSettings settings;              ///< its layers by parseLayers()
    /// Where the examples came from (task, data set, seed, ...): recorded with what was made, an object.
    nlohmann::ordered_json source = nlohmann::ordered_json::object();
    DType dtype = DType::float32;
    int threads = 1;              ///< LibTorch rounds by it: the same number for the same bytes
    double seconds_to_save = 60;  ///< at least so long between two saves of the sums
    bool overwrite = false;
    std::function<void(const MeasuredExample&)> on_example;  ///< may be empty
};

/// What happened, for the user and for scripts.
struct CalibrateSummary {
    Subspace subspace;
    int64_t resumed = 0;      ///< examples that an earlier start had been through; all when nothing was left
    int64_t tokens = 0;       ///< of the examples that this start went through
    double open_seconds = 0;  ///< reading the weights
    double gradient_seconds = 0;   ///< forward and backward passes
    double decompose_seconds = 0;  ///< spectra
};

/// Measures the capability subspaces (paper Eq. 6 to 9) and writes them. The examples go through the model
/// one by one; the same request resumes and ends with the same bytes as one that was never interrupted.
/// @throws Error invalid_argument (settings that the model or the examples lack, what lies at `out`),
/// file_format (losses or gradients that are not finite), out_of_memory, io; Cancelled, with the sums saved.
CalibrateSummary calibrate(const Session& session, const CalibrateRequest& request,
                           const JobContext& context);
/// The same on a model that is open already and stays so.
CalibrateSummary calibrate(ResidentModel& model, const CalibrateRequest& request, const JobContext& context);

}  // namespace spd
