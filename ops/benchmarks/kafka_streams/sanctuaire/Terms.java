package sanctuaire;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** One contract on consent, as far as this population can meet it; whatever else it says is refused at the start. */
record Terms(
        String provider,
        String contract,
        String purpose,
        String notice,
        String kind,
        int consentAge,
        boolean usualAct,
        boolean informationSocietyService,
        Set<String> fields,
        List<String> sortedFields,
        Set<String> required,
        byte[] beforeSource,
        byte[] beforeName) {

    /** `job.allowed` names the pair only where its dates and its places hold today: the filter's R2, R18 to R20. */
    static Terms of(Job job) throws IOException {
        String provider = job.policies().keySet().iterator().next();
        JsonNode policy = new ObjectMapper().readTree(job.policies().get(provider));
        JsonNode contract = policy.get("contracts").get(0);
        JsonNode basis = contract.get("legal_basis");
        String id = contract.get("id").asText();
        String purpose = contract.get("purpose").asText();
        List<String> allowed = job.allowed().get(provider + '/' + id);
        boolean known = allowed != null
                && basis.get("article").asText().equals("6(1)(a)")
                && basis.get("optional_service").asBoolean()
                && policy.get("perimeter").get("joint_consent_from").isNull()
                && contract.get("schools").asText().equals("all")
                && contract.get("kinds").size() == 1;
        if (!known) {
            throw new IllegalArgumentException("a contract that is not decided here");
        }
        String family = contract.get("purpose_family").isNull() ? purpose : contract.get("purpose_family").asText();
        List<String> sorted = new ArrayList<>(allowed);
        sorted.sort(null);
        Set<String> required = new HashSet<>();
        contract.get("required").forEach(field -> required.add(field.asText()));
        String kind = contract.get("kinds").get(0).asText();
        return new Terms(
                provider, id, purpose, contract.get("notice").asText(), kind,
                policy.get("perimeter").get("consent_age").asInt(),
                basis.get("usual_act").asBoolean(), basis.get("information_society_service").asBoolean(),
                Set.copyOf(allowed), sorted, required,
                Step.ascii("{\"provider\":\"" + provider + "\",\"contract\":\"" + id + "\",\"purpose_family\":\""
                        + family + "\",\"policy\":\"" + job.digests().get(provider) + "\",\"policy_version\":"
                        + job.versions().get(provider) + ",\"key_serial\":0,\"kind\":\"" + kind + "\",\"source\":\""),
                Step.ascii("\",\"named_by\":{\"entity_class\":\"person\",\"namespace\":\"" + job.perimeter()
                        + "\",\"type\":\"INE\",\"value\":\""));
    }
}
