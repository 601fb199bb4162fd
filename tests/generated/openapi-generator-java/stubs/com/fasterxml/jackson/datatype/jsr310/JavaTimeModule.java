package com.fasterxml.jackson.datatype.jsr310;

import com.fasterxml.jackson.databind.module.SimpleModule;

/** Stub: knows no types. */
public class JavaTimeModule extends SimpleModule {
    private static final long serialVersionUID = 1L;
}
