# cmake -DSOURCE_DIR=... -P check_includes.cmake
# Fails when a file includes what its target may not see (ARCHITECTURE.md, targets).
set(torch "#[ \t]*include[ \t]*[<\"](torch|ATen|c10|caffe2)/")
set(qt "#[ \t]*include[ \t]*[<\"](Q[A-Z]|Qt|qcustomplot)")
set(database "#[ \t]*include[ \t]*[<\"](SQLiteCpp|sqlite3)")
set(violations "")

function(forbid pattern what)
    foreach(folder ${ARGN})
        file(GLOB_RECURSE files ${SOURCE_DIR}/${folder}/*.h ${SOURCE_DIR}/${folder}/*.cpp)
        foreach(path ${files})
            file(STRINGS ${path} hits REGEX "${pattern}")
            if(hits)
                file(RELATIVE_PATH relative ${SOURCE_DIR} ${path})
                list(APPEND violations "${relative}: may not include ${what}: ${hits}")
            endif()
        endforeach()
    endforeach()
    set(violations "${violations}" PARENT_SCOPE)
endfunction()

forbid("${torch}" "LibTorch" core/base core/text core/data core/io core/subspace core/store core/config core/protocol
       views app/workbench)
forbid("${qt}" "Qt" core app/cli)
forbid("${database}" "the database" views app/workbench core/base core/text core/data core/io core/model core/kernels
       core/calibrate core/intervene core/generate core/train core/evaluate)
# Public headers of the engine only forward-declare torch: a test or the program may include them beside anything.
file(GLOB_RECURSE engine_headers ${SOURCE_DIR}/core/*.h)
foreach(path ${engine_headers})
    if(NOT path MATCHES "_torch\\.h$")
        file(STRINGS ${path} hits REGEX "${torch}")
        if(hits)
            file(RELATIVE_PATH relative ${SOURCE_DIR} ${path})
            list(APPEND violations "${relative}: a public header may not include LibTorch (only *_torch.h may): ${hits}")
        endif()
    endif()
endforeach()

if(violations)
    list(JOIN violations "\n  " text)
    message(FATAL_ERROR "include rules broken:\n  ${text}")
endif()
