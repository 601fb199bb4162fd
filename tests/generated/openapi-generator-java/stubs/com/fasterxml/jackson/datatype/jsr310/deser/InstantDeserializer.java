package com.fasterxml.jackson.datatype.jsr310.deser;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.databind.DeserializationContext;
import com.fasterxml.jackson.databind.deser.std.StdDeserializer;
import java.io.IOException;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.time.temporal.Temporal;
import java.time.temporal.TemporalAccessor;
import java.util.function.BiFunction;
import java.util.function.Function;

/** Stub: reads no dates. */
public class InstantDeserializer<T extends Temporal> extends StdDeserializer<T> {
    private static final long serialVersionUID = 1L;

    protected InstantDeserializer(
            Class<T> supportedType,
            DateTimeFormatter formatter,
            Function<TemporalAccessor, T> parsedToValue,
            Function<FromIntegerArguments, T> fromMilliseconds,
            Function<FromDecimalArguments, T> fromNanoseconds,
            BiFunction<T, ZoneId, T> adjust,
            boolean replaceZeroOffsetAsZ,
            boolean normalizeZoneId,
            boolean readNumericStringsAsTimestamp) {
        super(supportedType);
    }

    @Override
    public T deserialize(JsonParser parser, DeserializationContext context) throws IOException {
        return _fromString(parser, context, parser.getText());
    }

    protected T _fromString(JsonParser parser, DeserializationContext context, String text)
            throws IOException {
        throw new UnsupportedOperationException("this API has no dates");
    }

    public static class FromIntegerArguments {
        public long value;
        public ZoneId zoneId;
    }

    public static class FromDecimalArguments {
        public long integer;
        public int fraction;
        public ZoneId zoneId;
    }
}
