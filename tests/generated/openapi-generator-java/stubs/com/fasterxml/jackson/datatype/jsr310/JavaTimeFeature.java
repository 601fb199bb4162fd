package com.fasterxml.jackson.datatype.jsr310;

/** Stub: the features that the client names. */
public enum JavaTimeFeature {
    NORMALIZE_DESERIALIZED_ZONE_ID,
    ALWAYS_ALLOW_STRINGIFIED_DATE_TIMESTAMPS;

    public boolean enabledByDefault() {
        return false;
    }
}
