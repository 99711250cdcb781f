# libiotedge for firmware that is built with CMake:
#
#   set(IOTEDGE_LIB /path/to/out/lib)        # of `make lib TARGET=...`
#   include(/path/to/examples-c/ports/cmake/iotedge.cmake)
#   iotedge_archive(iotedge thumbv7em-none-eabihf node)
#   target_link_libraries(firmware PRIVATE iotedge)
function(iotedge_archive name target profile)
  set(folder ${IOTEDGE_LIB}/${target}/${profile})
  if(NOT EXISTS ${folder}/libiotedge.a)
    message(FATAL_ERROR "${folder}/libiotedge.a is missing: make lib TARGET=${target}")
  endif()
  add_library(${name} STATIC IMPORTED GLOBAL)
  set_target_properties(${name} PROPERTIES IMPORTED_LOCATION ${folder}/libiotedge.a INTERFACE_INCLUDE_DIRECTORIES ${folder})
endfunction()
