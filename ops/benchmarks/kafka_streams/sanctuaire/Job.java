package sanctuaire;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.File;
import java.io.IOException;
import java.util.List;
import java.util.Map;

/** What the benchmark hands to every peer: the same file that the Python peers read (engines/job.py). */
@JsonIgnoreProperties(ignoreUnknown = true)
public record Job(
        String bootstrap,
        String group,
        String input,
        Map<String, String> outputs,
        String perimeter,
        Map<String, String> keys,
        Map<String, List<String>> allowed,
        Map<String, String> policies,
        Map<String, Integer> versions,
        String folder,
        String consents,
        Map<String, String> digests) {

    static Job read(String path) throws IOException {
        return new ObjectMapper().readValue(new File(path), Job.class);
    }
}
