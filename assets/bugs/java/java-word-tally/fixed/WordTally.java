import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/** Counts words, ignoring case and punctuation. */
public class WordTally {
    private final Map<String, Integer> counts = new TreeMap<>();

    public void add(String text) {
        for (String word : text.toLowerCase(Locale.ROOT).split("[^a-z]+")) {
            if (!word.isEmpty()) {
                counts.merge(word, 1, Integer::sum);
            }
        }
    }

    public int count(String word) {
        return counts.getOrDefault(word.toLowerCase(Locale.ROOT), 0);
    }

    public int distinct() {
        return counts.size();
    }
}
