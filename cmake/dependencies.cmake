# The libraries of deps/lock.json, fetched and built where they are missing, as targets dep::NAME.
find_package(Threads REQUIRED)
find_program(RM_PYTHON3 python3 REQUIRED)
set(rm_deps ${RM_PYTHON3} -B ${PROJECT_SOURCE_DIR}/deps/deps.py)
set(rm_dep_names musl yyjson base64 miniaudio uthash libtommath)
if(RM_PYTHON)
    list(APPEND rm_dep_names python)
endif()
file(GLOB rm_dep_inputs CONFIGURE_DEPENDS deps/lock.json deps/recipes/*)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${rm_dep_inputs})

execute_process(COMMAND ${rm_deps} ensure ${rm_dep_names} COMMAND_ERROR_IS_FATAL ANY)
foreach(name IN LISTS rm_dep_names)
    execute_process(COMMAND ${rm_deps} path ${name} OUTPUT_VARIABLE rm_dep_${name} OUTPUT_STRIP_TRAILING_WHITESPACE
        COMMAND_ERROR_IS_FATAL ANY)
endforeach()

# rm_dep(NAME FOLDER [ARCHIVE]): dep::NAME with the folder's headers, and its archive unless headers are all.
function(rm_dep name folder)
    if(ARGC GREATER 2)
        add_library(dep::${name} STATIC IMPORTED GLOBAL)
        set_target_properties(dep::${name} PROPERTIES IMPORTED_LOCATION ${folder}/lib/${ARGV2})
    else()
        add_library(dep::${name} INTERFACE IMPORTED GLOBAL)
    endif()
    if(EXISTS ${folder}/include)
        target_include_directories(dep::${name} SYSTEM INTERFACE ${folder}/include)
    endif()
endfunction()

rm_dep(muslm ${rm_dep_musl} libmuslm.a) # stands before the system's libm on every link line
target_link_libraries(dep::muslm INTERFACE m)
rm_dep(yyjson ${rm_dep_yyjson} libyyjson.a)
rm_dep(base64 ${rm_dep_base64} libbase64.a)
target_compile_definitions(dep::base64 INTERFACE BASE64_STATIC_DEFINE)
rm_dep(miniaudio ${rm_dep_miniaudio} libminiaudio.a)
file(READ ${rm_dep_miniaudio}/FLAGS rm_miniaudio_flags)
separate_arguments(rm_miniaudio_flags UNIX_COMMAND "${rm_miniaudio_flags}")
target_compile_options(dep::miniaudio INTERFACE ${rm_miniaudio_flags})
target_link_libraries(dep::miniaudio INTERFACE dep::muslm)
rm_dep(uthash ${rm_dep_uthash})
rm_dep(libtommath ${rm_dep_libtommath} libtommath.a)

if(RM_PYTHON)
    rm_dep(mpdec ${rm_dep_python} libmpdec.a)
    target_link_libraries(dep::mpdec INTERFACE dep::muslm)
    rm_dep(expat ${rm_dep_python} libexpat.a)
    rm_dep(hacl ${rm_dep_python} libHacl_Hash_SHA2.a)
    rm_dep(python ${rm_dep_python} libpython3.13.a)
    target_include_directories(dep::python SYSTEM INTERFACE ${rm_dep_python}/include/python3.13)
    target_link_libraries(dep::python INTERFACE dep::mpdec dep::expat dep::hacl dep::muslm ${CMAKE_DL_LIBS}
        Threads::Threads util)
endif()

# What is inside must not stand in for what a loaded extension module brings along.
set(rm_hidden_archives libmuslm.a libmpdec.a libexpat.a libHacl_Hash_SHA2.a libyyjson.a libbase64.a libminiaudio.a
    libtommath.a)
list(JOIN rm_hidden_archives : rm_hidden_archives)
