# Imported target spd::torch from a LibTorch folder or from the `torch` wheel of SPD_PYTHON.
# find_package(Torch) is not used: with a CUDA toolkit on the machine the wheel's own CMake files ask
# CMake 3.25 for a dialect it does not know.
if(NOT SPD_LIBTORCH)
    if(NOT SPD_PYTHON)
        message(FATAL_ERROR "No LibTorch: set SPD_LIBTORCH to a LibTorch folder (>= 2.6) or SPD_PYTHON to a Python "
                            "with torch installed. packaging/start.sh does the latter.")
    endif()
    execute_process(
        COMMAND ${SPD_PYTHON} -c "import importlib.util as u; print(u.find_spec('torch').submodule_search_locations[0])"
        OUTPUT_VARIABLE torch_dir OUTPUT_STRIP_TRAILING_WHITESPACE RESULT_VARIABLE failed)
    if(failed)
        message(FATAL_ERROR "${SPD_PYTHON} has no torch: run packaging/start.sh, or set SPD_LIBTORCH")
    endif()
else()
    set(torch_dir ${SPD_LIBTORCH})
endif()

find_library(SPD_TORCH_CPU torch_cpu PATHS ${torch_dir}/lib NO_DEFAULT_PATH NO_CACHE REQUIRED)
find_library(SPD_C10 c10 PATHS ${torch_dir}/lib NO_DEFAULT_PATH NO_CACHE REQUIRED)

# Newer versions keep the numbers in another header.
set(torch_version "")
foreach(header torch/headeronly/version.h torch/csrc/api/include/torch/version.h)
    if(EXISTS ${torch_dir}/include/${header})
        foreach(part MAJOR MINOR)
            file(STRINGS ${torch_dir}/include/${header} line REGEX "define TORCH_VERSION_${part} [0-9]+")
            if(line MATCHES "TORCH_VERSION_${part} ([0-9]+)")
                list(APPEND torch_version ${CMAKE_MATCH_1})
            endif()
        endforeach()
    endif()
endforeach()
list(JOIN torch_version "." torch_version)
if(torch_version VERSION_LESS 2.6)
    message(FATAL_ERROR "${torch_dir}: LibTorch >= 2.6 is needed, this is \"${torch_version}\" (from torch/version.h)")
endif()
message(STATUS "LibTorch: ${torch_dir}")

# LibTorch was once built with the strings of GCC before 5 (the plain zip and the wheel of 2.6): such a one cannot be linked.
include(CheckCXXSourceCompiles)
string(MD5 torch_key ${torch_dir})
set(CMAKE_REQUIRED_INCLUDES ${torch_dir}/include)
set(CMAKE_REQUIRED_DEFINITIONS -D_GLIBCXX_USE_CXX11_ABI=1)
set(CMAKE_REQUIRED_LIBRARIES ${SPD_C10})
check_cxx_source_compiles("#include <c10/util/Exception.h>
    int main() { c10::detail::torchCheckFail(\"\", \"\", 0, std::string()); }" SPD_TORCH_LINKS_${torch_key})
unset(CMAKE_REQUIRED_INCLUDES)
unset(CMAKE_REQUIRED_DEFINITIONS)
unset(CMAKE_REQUIRED_LIBRARIES)
if(NOT SPD_TORCH_LINKS_${torch_key})
    message(FATAL_ERROR "${torch_dir}: this LibTorch cannot be linked: it must be built with the C++11 ABI "
                        "(the zip named libtorch-cxx11-abi-..., or a wheel of 2.7 or later); build/*/CMakeFiles/CMakeError.log "
                        "has the linker's words")
endif()

add_library(spd_torch INTERFACE)
add_library(spd::torch ALIAS spd_torch)
target_include_directories(spd_torch SYSTEM INTERFACE ${torch_dir}/include ${torch_dir}/include/torch/csrc/api/include)
# AT_PER_OPERATOR_HEADERS: tensor operators (a + b) come without ATen/Functions.h, 4 s a file.
target_compile_definitions(spd_torch INTERFACE _GLIBCXX_USE_CXX11_ABI=1 AT_PER_OPERATOR_HEADERS)
target_link_libraries(spd_torch INTERFACE "-Wl,--no-as-needed" ${SPD_TORCH_CPU} ${SPD_C10} "-Wl,--as-needed")
target_link_options(spd_torch INTERFACE "-Wl,-rpath,${torch_dir}/lib")
